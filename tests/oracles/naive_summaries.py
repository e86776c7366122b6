"""Saturated coverage and TextRank, sentence by sentence."""

import math


def coverage_order(sentences, room, ratio):
    """The sentences (lists of words) that greedy maximization adds; every gain is computed at every step."""
    total = len(sentences)
    weights = []
    for words in sentences:
        frequencies = {word: sum(word in other for other in sentences) for word in words}
        weights.append({word: words.count(word) * math.log(total / frequencies[word]) for word in words})

    def cosine(a, b):
        norms = [math.sqrt(sum(value**2 for value in each.values())) for each in (a, b)]
        return sum(a[word] * b.get(word, 0) for word in a) / (norms[0] * norms[1]) if all(norms) else 0.0

    near = [[0.0 if i == j else cosine(weights[i], weights[j]) for j in range(total)] for i in range(total)]
    found = []
    while True:
        best, best_gain = None, -1.0
        for row in range(total):
            if row in found or len(sentences[row]) > room:
                continue

            def value(rows):
                return sum(min(sum(near[i][j] for j in rows), min(1, 2 * ratio) * sum(near[i])) for i in range(total))

            gain = (value([*found, row]) - value(found)) / len(sentences[row]) ** 0.3
            if gain > best_gain + 1e-9:
                best, best_gain = row, gain
        if best is None:
            return found
        found.append(best)
        room -= len(sentences[best])


def textrank(sentences):
    """The rank of each sentence: 10,000 steps of its walk."""
    total = len(sentences)
    weights = [[0.0] * total for _ in range(total)]
    for i, one in enumerate(sentences):
        for j, other in enumerate(sentences):
            length = math.log(len(one)) + math.log(len(other))
            if i != j and length > 0:
                weights[i][j] = len(set(one) & set(other)) / length
    ranks = [1 / total] * total
    for _ in range(1000):
        ranks = [
            0.15 / total + 0.85 * sum(ranks[j] * weights[j][i] / sum(weights[j]) for j in range(total) if weights[j][i])
            for i in range(total)
        ]
    return ranks
