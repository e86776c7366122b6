"""Drawing the next token: temperature, top-k and nucleus sampling on a distribution. Pure functions."""

import numpy as np

from wordvec import check_number, check_whole


def check_sampling(temperature: float, top_k: int | None, nucleus: float | None) -> None:
    """Raise InputError where a value is outside its range; the message says the rule and the value."""
    check_number("temperature", temperature, least=0)
    if top_k is not None:
        check_whole("top_k", top_k, 1)
    if nucleus is not None:
        check_number("nucleus", nucleus, above=0, most=1)


def choices(
    probabilities: np.ndarray, *, temperature: float = 1.0, top_k: int | None = None, nucleus: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The tokens that may come next, and the chance of each.

    First ``p ** (1 / temperature)``; then the ``top_k`` likeliest alone; then, of what they share, the fewest of the
    likeliest that make up ``nucleus`` (Holtzman et al. 2020). Of equal probabilities the lower token is the likelier,
    so that exactly ``top_k`` remain.

    Args:
        probabilities: (V,); they need not sum to 1. A token of probability 0 never comes.
        temperature: below 1 sharpens, above 1 flattens; 0 leaves the likeliest alone.
        top_k: None keeps all. nucleus: in (0, 1]; None keeps all.

    Returns:
        Tokens (K,) by falling chance, and their chances (K,) float64, which sum to 1.

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
        # Cut where the sum of those before has not yet reached it.
        kept = int(np.count_nonzero(np.cumsum(chances) - chances < nucleus))
        order, chances = order[:kept], chances[:kept] / chances[:kept].sum()
    positive = np.count_nonzero(chances > 0)
    return order[:positive], chances[:positive]


def draw(tokens: np.ndarray, chances: np.ndarray, random: np.random.Generator) -> int:
    """One of ``tokens`` by its chance; a draw takes one number of ``random``."""
    place = np.searchsorted(np.cumsum(chances), random.random(), side="right")
    return int(tokens[min(int(place), tokens.size - 1)])
