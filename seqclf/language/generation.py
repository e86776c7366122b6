"""Sampling of the next token: temperature, top-k and nucleus sampling, as pure functions."""

import numpy as np

from wordvec.system.validation import check_number, check_whole


def check_sampling(temperature: float, top_k: int | None, nucleus: float | None) -> None:
    """Raise InputError if a value is out of range."""
    check_number("temperature", temperature, least=0)
    if top_k is not None:
        check_whole("top_k", top_k, 1)
    if nucleus is not None:
        check_number("nucleus", nucleus, above=0, most=1)


def choices(
    probabilities: np.ndarray, *, temperature: float = 1.0, top_k: int | None = None, nucleus: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the candidate tokens and their probabilities.

    First ``p ** (1 / temperature)``; then only the ``top_k`` most probable tokens, normalized; then the fewest of the
    most probable whose sum reaches ``nucleus`` (Holtzman et al. 2020). Ties go to the lower token, so that exactly
    ``top_k`` remain.

    Args:
        probabilities: (V,), which need not sum to 1. A token of probability 0 is never a candidate.
        temperature: below 1 sharpens, above 1 flattens; 0 keeps only the most probable token.
        top_k: None keeps all. nucleus: in (0, 1]; None keeps all.

    Returns:
        Tokens (K,) by descending probability, and their probabilities (K,) float64, which sum to 1.

    Example:
        >>> choices(np.array([0.1, 0.4, 0.2, 0.3]), nucleus=0.6)[0].tolist()
        [1, 3]
        >>> choices(np.array([0.25, 0.5, 0.25]), temperature=0.5, top_k=2)[1].round(3).tolist()
        [0.8, 0.2]
    """
    probabilities = np.asarray(probabilities, np.float64)
    order = np.argsort(-probabilities, kind="stable")
    order = order[: np.count_nonzero(probabilities > 0)]
    if top_k is not None or temperature == 0:
        order = order[: 1 if temperature == 0 else top_k]
    chances = probabilities[order]
    if temperature not in (0, 1):
        chances = np.exp((np.log(chances) - np.log(chances[0])) / temperature)
    chances = chances / chances.sum()
    if nucleus is not None and nucleus < 1:
        # A token is kept if the sum before it has not yet reached the nucleus.
        kept = int(np.count_nonzero(np.cumsum(chances) - chances < nucleus))
        order, chances = order[:kept], chances[:kept] / chances[:kept].sum()
    positive = np.count_nonzero(chances > 0)
    return order[:positive], chances[:positive]


def draw(tokens: np.ndarray, chances: np.ndarray, random: np.random.Generator) -> int:
    """Draw one of ``tokens`` with the given probabilities; consumes one number of ``random``."""
    place = np.searchsorted(np.cumsum(chances), random.random(), side="right")
    return int(tokens[min(int(place), tokens.size - 1)])


def repeating(tokens: list[int], length: int) -> set[int]:
    """Return the tokens that would end a second copy of some ``length`` tokens in a row (Paulus et al. 2018).

    Example:
        >>> repeating([1, 2, 3, 1, 2], 3), repeating([1, 2, 3, 1, 2], 1)
        ({3}, {1, 2, 3})
    """
    last = tokens[len(tokens) - length + 1 :]
    starts = range(len(tokens) - length + 1)
    return {tokens[start + length - 1] for start in starts if tokens[start : start + length - 1] == last}
