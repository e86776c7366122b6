"""Distances of texts from the vectors of their words: word mover's distance, its relaxation, and soft cosine."""

from collections.abc import Sequence

import numpy as np

from wordvec.errors import InputError
from wordvec.system.validation import check_kind, check_number, check_whole, shown
from wordvec.vectors import search
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.similarities import normalized_rows


def word_movers_distance(
    vectors: WordVectors, a: str | Sequence[str], b: str | Sequence[str], *, unit: bool = True
) -> float:
    """Return the least mean distance that the words of one text travel to those of the other (Kusner et al. 2015).

    The distance of two words is the Euclidean one of their vectors. The transport is exact: by POT (``pip install
    'wordvec-seqclf[distances]'``), else by SciPy's linear programming, which takes 30 times as long on texts of 15
    words.

    Args:
        vectors: of words; those without a vector are left out.
        a, b: texts, which are tokenized like the training text, or lists of words.
        unit: whether vectors are L2-normalized first, as in gensim.

    Returns:
        At least 0; infinity if one of the texts has no known word.

    Example:
        >>> wv = WordVectors(["king", "queen", "apple"], [[1, 0.1], [1, -0.1], [-0.3, 1]])
        >>> round(word_movers_distance(wv, "king apple", "queen apple"), 4)
        0.0995
    """
    return _distance(_Bag(vectors, a, unit), _Bag(vectors, b, unit))


def relaxed_word_movers_distance(
    vectors: WordVectors, a: str | Sequence[str], b: str | Sequence[str], *, unit: bool = True
) -> float:
    """Return a lower bound of :func:`word_movers_distance`, in which every word travels to its nearest one.

    The larger of both directions (RWMD, Kusner et al. 2015, section 4).

    Example:
        >>> wv = WordVectors(["king", "queen", "apple"], [[1, 0.1], [1, -0.1], [-0.3, 1]])
        >>> round(relaxed_word_movers_distance(wv, "king apple", "queen apple"), 4)
        0.0995
    """
    return _relaxed(_Bag(vectors, a, unit), _Bag(vectors, b, unit))


def nearest_texts(
    vectors: WordVectors, text: str | Sequence[str], others: Sequence[str | Sequence[str]], top: int = 10
) -> list[tuple[int, float]]:
    """Return the positions of the texts nearest to ``text`` by word mover's distance, and their distances, ascending.

    Texts are taken in the order of their relaxed distances until that exceeds the ``top`` best exact ones, so that few
    transports are solved, and the result is exact.

    Example:
        >>> wv = WordVectors(["king", "queen", "apple"], [[1, 0.1], [1, -0.1], [-0.3, 1]])
        >>> [place for place, _ in nearest_texts(wv, "king", ["apple", "queen", "queen apple"], top=2)]
        [1, 2]
    """
    top, query = check_whole("top", top, 1), _Bag(vectors, text, True)
    if isinstance(others, str):
        raise InputError(f"others must be a list of texts, got the string {others!r}; pass [text, ...]")
    bags = [_Bag(vectors, other, True) for other in others]
    bounds = np.array([_relaxed(query, bag) for bag in bags])
    found: list[tuple[float, int]] = []
    for place in np.argsort(bounds, kind="stable").tolist():
        if len(found) >= top and bounds[place] > found[top - 1][0]:
            break
        found = sorted([*found, (_distance(query, bags[place]), place)])[:top]
    return [(place, distance) for distance, place in found]


def soft_cosine(
    vectors: WordVectors,
    a: str | Sequence[str],
    b: str | Sequence[str],
    *,
    threshold: float = 0.0,
    exponent: float = 2.0,
) -> float:
    """Return the cosine of two bags of words in which similar words count as partly equal (Sidorov et al. 2014).

    The similarity of two words is the power ``exponent`` of their cosine where that is above ``threshold``, else 0
    (Charlet & Damnati 2017, as in gensim); of a word and itself it is 1.

    Returns:
        0 to 1; 0 if one of the texts has no known word.

    Example:
        >>> wv = WordVectors(["king", "queen", "apple"], [[1, 0.1], [1, -0.1], [-0.3, 1]])
        >>> round(soft_cosine(wv, "king", "queen"), 3), round(soft_cosine(wv, "king", "apple"), 3)
        (0.961, 0.0)
    """
    threshold = check_number("threshold", threshold, least=0)
    exponent = check_number("exponent", exponent, above=0)
    left, right = _Bag(vectors, a, True), _Bag(vectors, b, True)
    if not (len(left.counts) and len(right.counts)):
        return 0.0

    def product(x: _Bag, y: _Bag) -> float:
        cosines = search.cosines(y.rows, normalized_rows(x.rows))
        similar = np.where(cosines > threshold, np.abs(cosines), 0) ** exponent
        for place, word in enumerate(x.words):
            if word in y.words:
                similar[place, y.words.index(word)] = 1
        return float(x.counts @ similar @ y.counts)

    return float(np.clip(product(left, right) / np.sqrt(product(left, left) * product(right, right)), 0, 1))


class _Bag:
    """The distinct known words of a text.

    Attributes:
        words: U tokens, or words with a composed vector.
        counts: (U,) float64.
        rows: (U, D) float64.
    """

    def __init__(self, vectors: WordVectors, text: str | Sequence[str], unit: bool) -> None:
        words = check_kind("vectors", vectors, WordVectors).tokenize(text) if isinstance(text, str) else list(text)
        if not all(isinstance(word, str) for word in words):
            raise InputError(f"a text must be a string or a list of words, got {shown(text)}")
        counts: dict[str, int] = {}
        for word in words:
            if word in vectors:
                row = vectors.lookup(word)
                token = vectors.tokens[row] if row >= 0 else word
                counts[token] = counts.get(token, 0) + 1
        self.words = list(counts)
        self.counts = np.array(list(counts.values()), np.float64)
        rows = vectors[self.words].astype(np.float64)
        self.rows = normalized_rows(rows) if unit else rows

    @property
    def shares(self) -> np.ndarray:
        return np.asarray(self.counts / self.counts.sum())


def _costs(a: _Bag, b: _Bag) -> np.ndarray:
    """Return the distances (A, B) float64 of two bags' words; equal words are at 0."""
    costs = np.sqrt(((a.rows[:, None] - b.rows) ** 2).sum(axis=2))
    return np.asarray(costs)


def _relaxed(a: _Bag, b: _Bag) -> float:
    if not (len(a.counts) and len(b.counts)):
        return np.inf
    costs = _costs(a, b)
    return max(float(a.shares @ costs.min(axis=1)), float(b.shares @ costs.min(axis=0)))


def _distance(a: _Bag, b: _Bag) -> float:
    if not (len(a.counts) and len(b.counts)):
        return np.inf
    return max(0.0, _transported(a.shares, b.shares, _costs(a, b)))


def _transported(a: np.ndarray, b: np.ndarray, costs: np.ndarray) -> float:
    """Return the cost of the cheapest transport of masses ``a`` (A,) to ``b`` (B,)."""
    if 1 in costs.shape:
        return float(a @ costs @ b)
    try:
        from ot.lp import emd2
    except ImportError:
        return _by_linear_programming(a, b, costs)
    return float(emd2(a, b, costs))


def _by_linear_programming(a: np.ndarray, b: np.ndarray, costs: np.ndarray) -> float:
    from scipy.optimize import linprog
    from scipy.sparse import eye, kron, vstack

    rows = kron(eye(len(a)), np.ones((1, len(b))))
    columns = kron(np.ones((1, len(a))), eye(len(b)))
    # The last constraint follows from the others; with it, rounding could leave no solution.
    constraints = vstack([rows, columns]).tocsr()[:-1]
    solved = linprog(costs.ravel(), A_eq=constraints, b_eq=np.concatenate([a, b])[:-1], method="highs")
    return float(solved.fun)
