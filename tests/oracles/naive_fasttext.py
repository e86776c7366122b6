"""Prediction with a supervised fastText model, one text, row and node at a time, as its C++ code does it."""

import math


def fnv(data):
    value = 2166136261
    for byte in data:
        signed = byte - 256 if byte > 127 else byte
        value = ((value ^ (signed % 2**32)) * 16777619) % 2**32
    return value


def subwords(word, min_n, max_n):
    """The character n-grams of ``<word>``; neither bracket alone is one."""
    marked = f"<{word}>"
    found = []
    for start in range(len(marked)):
        for n in range(1, max_n + 1):
            end = start + n
            if end > len(marked):
                break
            if n >= min_n and not (n == 1 and (start == 0 or end == len(marked))):
                found.append(marked[start:end])
    return found


def rows_of(model, text):
    """The input rows of a text in order."""
    rows, hashes = [], []

    def add(bucket):
        if model.pruned is None:
            rows.append(len(model.words) + bucket)
        elif bucket in model.pruned:
            rows.append(len(model.words) + model.pruned[bucket])

    for word in [*text.replace("\0", " ").split(), "</s>"]:
        known = word in model.words
        if not known and (word in model.labels or word.startswith("__label__")):
            continue
        if known:
            rows.append(model.words.index(word))
        if word != "</s>":
            for ngram in subwords(word, model.min_n, model.max_n):
                add(fnv(ngram.encode()) % model.buckets)
        value = fnv(word.encode())
        hashes.append(value - 2**32 if value >= 2**31 else value)
        if word == "</s>":
            break
    for i in range(len(hashes)):
        value = hashes[i] % 2**64
        for j in range(i + 1, min(i + model.word_ngrams, len(hashes))):
            value = (value * 116049371 + hashes[j]) % 2**64
            add(value % model.buckets)
    return rows


def huffman(counts):
    """The children of each inner node, from descending counts."""
    nodes = [(count, place) for place, count in enumerate(counts)]
    leaves, inner, children = nodes[::-1], [], []
    while len(leaves) + len(inner) > 1:
        pair = []
        for _ in range(2):
            smaller = leaves and (not inner or leaves[0][0] < inner[0][0])
            pair.append((leaves if smaller else inner).pop(0))
        inner.append((pair[0][0] + pair[1][0], len(counts) + len(children)))
        children.append((pair[0][1], pair[1][1]))
    return children


def table_logistic(score):
    if abs(score) > 8:
        return float(score > 0)
    return 1 / (1 + math.exp(8 - int((score + 8) * 32) / 32))


def predict(model, text):
    """The probability of each label, with fastText's addition of 1e-5; None for a text without rows."""
    rows = rows_of(model, text)
    if not rows:
        return None
    hidden = sum(model.inputs[row].astype(float) for row in rows) / len(rows)
    scores = [float(hidden @ row) for row in model.outputs.astype(float)]
    if model.loss == 1:
        found, labels = [0.0] * len(scores), len(scores)
        children = huffman(model.label_counts)

        def walk(node, probability):
            if node < labels:
                found[node] = probability
                return
            turn = 1 / (1 + math.exp(-scores[node - labels]))
            walk(children[node - labels][0], probability * (1 - turn + 1e-5))
            walk(children[node - labels][1], probability * (turn + 1e-5))

        walk(2 * labels - 2, 1.0)
        return found
    if model.loss == 3:
        total = sum(math.exp(score) for score in scores)
        return [math.exp(score) / total + 1e-5 for score in scores]
    return [table_logistic(score) + 1e-5 for score in scores]
