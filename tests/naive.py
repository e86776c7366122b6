"""Slow, obvious versions of what the package does fast. Imports NumPy only, and nothing of ours."""

import numpy as np

# -- questions to word vectors ----------------------------------------------------------------------------------------


def cosine(a, b):
    """a . b / (|a| |b|), 0 where one has no length."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    lengths = np.sqrt((a * a).sum()) * np.sqrt((b * b).sum())
    return float((a * b).sum() / lengths) if lengths else 0.0


def most_similar(vectors, positive, negative, asked, top, allowed=None, method="add"):
    """Rows and scores of the best answers, one row at a time.

    vectors (V, D); positive, negative: lists of vectors; asked: rows that are no answers; allowed: rows that may be.
    """
    unit = [np.asarray(v, float) / np.sqrt((np.asarray(v, float) ** 2).sum()) for v in [*positive, *negative]]
    near, far = unit[: len(positive)], unit[len(positive) :]
    scored = []
    for row in range(len(vectors)):
        if row in asked or (allowed is not None and row not in allowed):
            continue
        if method == "add":
            score = cosine(vectors[row], sum(near) - sum(far, np.zeros(len(vectors[0]))))
        else:
            score = 1.0
            for v in near:
                score *= (cosine(vectors[row], v) + 1) / 2
            below = 1.0
            for v in far:
                below *= (cosine(vectors[row], v) + 1) / 2 + 0.001
            score /= below
        scored.append((-score, row))
    return [(row, -score) for score, row in sorted(scored)[:top]]


# -- evaluation -------------------------------------------------------------------------------------------------------


def spearman(x, y):
    """Pearson's correlation of average ranks."""

    def ranks(values):
        return np.array([sum(v < w for v in values) + (sum(v == w for v in values) + 1) / 2 for w in values])

    a, b = ranks(x), ranks(y)
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def analogies_right(tokens, vectors, questions, top):
    """How many of the questions with all words among the first ``top`` tokens are answered rightly, and how many
    there are: word2vec's compute-accuracy, for lower-cased questions."""
    ids = {token: row for row, token in enumerate(tokens[:top])}
    unit = np.asarray(vectors, float)[:top]
    unit = unit / np.sqrt((unit * unit).sum(axis=1, keepdims=True))
    right = asked = 0
    for a, b, c, d in questions:
        words = [w.lower() for w in (a, b, c, d)]
        if all(w in ids for w in words):
            asked += 1
            a, b, c, d = (ids[w] for w in words)
            scores = unit @ (unit[b] - unit[a] + unit[c])
            scores[[a, b, c]] = -np.inf
            right += int(np.argmax(scores)) == d
    return right, asked
