"""Interpolated modified Kneser-Ney by the formulas of Heafield et al. (2013), with dictionaries of tuples."""

from collections import Counter, defaultdict


def kneser_ney(lines, vocabulary, order):
    """Return ``probability(word, context)`` of n-grams of lists of words; contexts begin with ``<s>``."""
    counts = [Counter() for _ in range(order + 1)]
    for line in lines:
        words = ["<s>", *line]
        for n in range(1, order + 1):
            counts[n].update(tuple(words[at : at + n]) for at in range(len(words) - n + 1))
    adjusted = [{} for _ in range(order + 1)]
    for n in range(1, order + 1):
        before = defaultdict(set)
        if n < order:
            for gram in counts[n + 1]:
                before[gram[1:]].add(gram[0])
        for gram, count in counts[n].items():
            adjusted[n][gram] = count if n == order or gram[0] == "<s>" else len(before[gram])
    adjusted[1].pop(("<s>",))
    discounts = [None] * (order + 1)
    for n in range(1, order + 1):
        t = Counter(adjusted[n].values())
        if all(t[k] for k in (1, 2, 3, 4)):
            d = [0] + [k - (k + 1) * t[1] * t[k + 1] / ((t[1] + 2 * t[2]) * t[k]) for k in (1, 2, 3)]
        else:
            d = [0, -1, -1, -1]
        discounts[n] = d if min(d[1:]) > 0 else [0, 0.5, 1.0, 1.5]

    def probability(word, context):
        n = len(context) + 1
        lower = 1 / vocabulary if n == 1 else probability(word, context[1:])
        after = {gram[-1]: count for gram, count in adjusted[n].items() if gram[:-1] == tuple(context)}
        if not after:
            return lower
        total = sum(after.values())
        own = after.get(word, 0)
        left = sum(discounts[n][min(count, 3)] for count in after.values())
        return (own - discounts[n][min(own, 3)]) / total + left / total * lower

    return probability
