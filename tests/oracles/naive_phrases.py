"""Naive phrase detection with dictionaries, as gensim defines it. Imports nothing from the packages."""

from math import log


def counted(sentences, connectors=(), delimiter="_"):
    """Count words and the joined text of pairs in one dictionary; return it and the number of tokens."""
    counts, tokens = {}, 0
    for sentence in sentences:
        start, between = None, []
        for word in sentence:
            tokens += 1
            if word in connectors:
                between = [*between, word]
                continue
            counts[word] = counts.get(word, 0) + 1
            if start is not None:
                joined = delimiter.join([start, *between, word])
                counts[joined] = counts.get(joined, 0) + 1
            start, between = word, []
    return counts, tokens


def score(parts, counts, tokens, *, min_count, scoring="default", delimiter="_"):
    """Score the first and the last of some words, -inf if they are never a phrase."""
    first, last, pair = (counts.get(text, 0) for text in (parts[0], parts[-1], delimiter.join(parts)))
    if not first or not last or pair < min_count:
        return float("-inf")
    if scoring == "npmi":
        return log(pair / tokens / (first / tokens * (last / tokens))) / -log(pair / tokens)
    return (pair - min_count) / float(first * last) * len(counts)


def pairs(sentences, connectors=()):
    """Return the distinct pairs: first word, connector words, last word."""
    found = set()
    for sentence in sentences:
        for start, word in enumerate(sentence):
            if word not in connectors:
                between = start + 1
                while between < len(sentence) and sentence[between] in connectors:
                    between += 1
                if between < len(sentence):
                    found.add(tuple(sentence[start : between + 1]))
    return found


def joined(sentence, is_phrase, connectors=(), delimiter="_"):
    """Join phrases from left to right."""
    result, position = [], 0
    while position < len(sentence):
        end = position + 1
        if sentence[position] not in connectors:
            while end < len(sentence) and sentence[end] in connectors:
                end += 1
        if (
            sentence[position] in connectors
            or end == len(sentence)
            or not is_phrase(tuple(sentence[position : end + 1]))
        ):
            result.append(sentence[position])
            position += 1
        else:
            result.append(delimiter.join(sentence[position : end + 1]))
            position = end + 1
    return result


def learned(sentences, passes, threshold, connectors=(), delimiter="_", **scoring):
    """Return the phrases of each pass with their scores, and the joined sentences."""
    found = []
    for _ in range(passes):
        counts, tokens = counted(sentences, connectors, delimiter)
        scored = {
            parts: score(parts, counts, tokens, delimiter=delimiter, **scoring)
            for parts in pairs(sentences, connectors)
        }
        phrases = {parts: value for parts, value in scored.items() if value > threshold}
        if not phrases:
            break
        found.append(phrases)
        sentences = [joined(sentence, phrases.__contains__, connectors, delimiter) for sentence in sentences]
    return found, sentences
