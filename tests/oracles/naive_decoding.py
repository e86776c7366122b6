"""Decoding, slowly: every sequence there is, and a beam search of one source with lists; imports nothing of ours."""

import itertools
import math


def scored(total, length, length_penalty=0.0, coverage_penalty=0.0, attention=()):
    """Equation 14 of Wu et al. 2016; ``attention`` has a row for each unit, the end included."""
    score = total / ((5 + length) / 6) ** length_penalty
    if coverage_penalty:
        columns = zip(*attention, strict=True)
        score += coverage_penalty * sum(math.log(max(min(sum(column), 1.0), 1e-12)) for column in columns)
    return score


def every_sequence(next_logs, units, bos, eos, limit):
    """All sequences of at most ``limit`` units and their log-probabilities; ``next_logs(prefix)`` is a list (V,)."""
    found = []
    for length in range(limit + 1):
        for tokens in itertools.product(units, repeat=length):
            prefix, total = [bos], 0.0
            for token in [*tokens, eos]:
                total += next_logs(prefix)[token]
                prefix.append(token)
            found.append((total, list(tokens)))
    return found


def beam_of_one(next_logs, size, bos, eos, limit, beam, allowed=lambda prefix, token: True):
    """Beam search without length penalty: ``(total, tokens)``, the best first; ties to earlier rows and lower units."""
    live, ended = [([bos], 0.0)], []
    while live:
        found = []
        for row, (prefix, total) in enumerate(live):
            logs = next_logs(prefix)
            choices = [eos] if len(prefix) > limit else [token for token in range(size) if token != bos]
            found += [(-(total + logs[t]), row, t) for t in choices if t == eos or allowed(prefix, t)]
        found.sort()
        rows, live = live, []
        for negative, row, token in found[: beam - len(ended)]:
            prefix = rows[row][0]
            if token == eos:
                ended.append((-negative, prefix[1:]))
            else:
                live.append(([*prefix, token], -negative))
    return sorted(ended, key=lambda each: -each[0])
