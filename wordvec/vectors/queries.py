"""Nearest neighbors and analogies: 3CosAdd and 3CosMul over words, vectors and weights."""

import logging
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from wordvec.errors import InputError
from wordvec.system.renamed import renamed
from wordvec.system.structures import is_mapped, real_array
from wordvec.system.validation import check_number, check_whole, shown
from wordvec.vectors import search
from wordvec.vectors.rounded_rows import AFTER, FEWEST_ROWS, RoundedRows
from wordvec.vectors.similarities import Similarities, normalized_rows
from wordvec.vectors.tables import Neighbors

Term: TypeAlias = str | np.ndarray | tuple[str | np.ndarray, float]
"""A query term: a word, a vector (D,), or one of these and its weight."""

Answers: TypeAlias = Neighbors
"""Tokens and their scores, in descending order."""

_log = logging.getLogger(__name__)

_DIRECTION = ", which has no direction; use other words"


class Queries(Similarities):
    """Nearest neighbors over the rows of a subclass."""

    if TYPE_CHECKING:

        @property
        def unit_vectors(self) -> np.ndarray: ...

        _questions: int
        _rounded: RoundedRows | None

    @renamed(topn="top", restrict_vocab="restrict")
    def most_similar(
        self,
        positive: Term | Sequence[Term],
        negative: Term | Sequence[Term] = (),
        top: int = 10,
        *,
        restrict: int | Iterable[str] | None = None,
        method: Literal["add", "mul"] = "add",
        epsilon: float = search.MUL_EPSILON,
        ignore_missing: bool = False,
    ) -> Answers:
        """Return the tokens most similar to the positive and least similar to the negative terms.

        ``"add"`` ranks by the cosine with the sum of the positive minus the negative unit vectors (3CosAdd, Mikolov et
        al. 2013). ``"mul"`` ranks by the product of the cosines with the positive terms divided by that with the
        negative terms, cosines shifted to 0..1 (3CosMul, Levy & Goldberg 2014, equation 4).

        Args:
            positive: a word, a vector (D,), or several of these; a pair of one and a number weights it.
            negative: likewise.
            top: maximum number of results.
            restrict: search only the first ``restrict`` rows, or only these words.
            method: ``"add"`` or ``"mul"``.
            epsilon: added to each divisor of ``"mul"``; gensim's is 1e-6, that of Levy & Goldberg 0.001.
            ignore_missing: leave out words that are not in the vocabulary instead of raising ``UnknownTokenError``.

        Returns:
            Tokens and scores in descending order, ties in row order, without the query words.

        Raises:
            UnknownTokenError: a word is not in the vocabulary.
            InputError: no terms, a vector of the wrong size, only zero vectors, terms that cancel out, weights with
                ``"mul"``, or ``top`` below 1.
        """
        weighted = method != "mul"
        listed, others = self._listed_terms(positive, ignore_missing), self._listed_terms(negative, ignore_missing)
        units, excluded = self._directions(listed + others, weighted)
        if not len(units):
            known = " in the vocabulary" if ignore_missing else ""
            raise InputError(f"most_similar needs at least one word{known} or vector")
        if method not in ("add", "mul"):
            raise InputError(f"method must be 'add' or 'mul', got {method!r}")
        zeros = []
        if not units.any(axis=1).all():
            zeros = [row for row in excluded if not self._gather(row).any()]
            if not units.any() and len(zeros) == len(excluded):
                raise InputError(self._zero_message(excluded))
        if zeros:
            _log.warning("%s and does not influence the result", self._zero_message(zeros).removesuffix(_DIRECTION))
        top, rows = check_whole("top", top, 1), self._restricted(restrict)
        near, far = units[: len(listed)], units[len(listed) :]
        if method == "mul":
            epsilon = check_number("epsilon", epsilon, above=0)
            return self._most_similar_mul(near, far, excluded, top, rows, epsilon)
        query = near.sum(axis=0) - far.sum(axis=0)
        return self._most_similar_add(query[None], [excluded], top, rows)[0]

    def most_similar_batch(
        self,
        terms: Sequence[Term] | np.ndarray,
        top: int = 10,
        *,
        restrict: int | Iterable[str] | None = None,
        ignore_missing: bool = False,
    ) -> list[Answers]:
        """Return the nearest neighbors of each of several words or vectors: :meth:`most_similar`, but faster.

        ``ignore_missing``: the neighbors of a word that is not in the vocabulary are an empty list.

        Example:
            >>> from wordvec import WordVectors
            >>> wv = WordVectors(["up", "north", "down"], [[0, 2], [0.1, 2], [0, -1]])
            >>> [[token for token, _ in answers] for answers in wv.most_similar_batch(["up", "down"], top=1)]
            [['north'], ['north']]
        """
        if isinstance(terms, str):
            raise InputError(f"expected a list of words or vectors, got the string {terms!r}; pass [word, ...]")
        parsed = [self._directions(self._listed_terms(term, ignore_missing)) for term in terms]
        if ignore_missing and any(not len(directions) for directions, _ in parsed):
            found = iter(self.most_similar_batch([term for term, (known, _) in zip(terms, parsed, strict=True)
                                                  if len(known)], top, restrict=restrict))  # fmt: skip
            return [next(found) if len(known) else Neighbors() for known, _ in parsed]
        if not parsed:
            return []
        for directions, rows in parsed:
            if len(directions) != 1:
                raise InputError("most_similar_batch takes one word or vector per query, got a list among the terms")
            if not directions.any():
                raise InputError(self._zero_message(rows))
        wanted = np.concatenate([directions for directions, _ in parsed])
        return self._most_similar_add(
            wanted, [rows for _, rows in parsed], check_whole("top", top, 1), self._restricted(restrict)
        )

    @renamed(topn="top", restrict_vocab="restrict")
    def similar_by_vector(
        self, vector: ArrayLike, top: int = 10, *, restrict: int | Iterable[str] | None = None
    ) -> Answers:
        """Return the tokens most similar to a vector (D,); none are excluded."""
        return self.most_similar(_checked_query(vector, self.vector_size), top=top, restrict=restrict)

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        top: int = 10,
        method: Literal["add", "mul"] = "add",
        *,
        restrict: int | Iterable[str] | None = None,
    ) -> Answers:
        """Solve "a is to b as c is to ?": the tokens most similar to b - a + c; see :meth:`most_similar`."""
        return self.most_similar([b, c], [a], top, restrict=restrict, method=method)

    def analogy_batch(
        self, questions: Iterable[Sequence[str]], top: int = 10, *, restrict: int | Iterable[str] | None = None
    ) -> list[Answers]:
        """Solve several analogies, each of three words a, b, c: :meth:`analogy` by 3CosAdd, but faster.

        Example:
            >>> from wordvec import WordVectors
            >>> wv = WordVectors(["king", "queen", "man", "woman"], [[1, 1], [1, -1], [0.2, 1], [0.2, -1]])
            >>> [answers[0][0] for answers in wv.analogy_batch([("man", "king", "woman"), ("king", "man", "queen")])]
            ['queen', 'woman']
        """
        wanted, excluded = [], []
        for question in questions:
            if isinstance(question, str) or len(question) != 3:
                raise InputError(f"a question must be three words, got {shown(question)}")
            units, rows = self._directions(self._listed_terms(question))
            wanted.append(units[1] + units[2] - units[0])
            excluded.append(rows)
        if not wanted:
            return []
        return self._most_similar_add(
            np.array(wanted), excluded, check_whole("top", top, 1), self._restricted(restrict)
        )

    # -- implementation -----------------------------------------------------------------------------------------------

    def _zero_message(self, rows: list[int]) -> str:
        if not rows:
            return "the query vector is all zeros, which has no direction; pass another vector"
        words = " and ".join(repr(self.tokens[row]) for row in dict.fromkeys(rows))
        vectors = "vector" if len(set(rows)) == 1 else "vectors"
        return f"the {vectors} of {words} {'is' if vectors == 'vector' else 'are'} all zeros{_DIRECTION}"

    def _listed_terms(self, terms: Term | Sequence[Term], ignore_missing: bool = False) -> list[Any]:
        """Return words and vectors, some with weights, as a list."""
        if isinstance(terms, str) or (isinstance(terms, np.ndarray) and terms.ndim == 1) or _is_weighted(terms):
            terms = [terms]  # type: ignore[list-item]
        if not isinstance(terms, Iterable):
            raise InputError(f"expected words or vectors, got {shown(terms)}")
        listed: list[Any] = list(terms)
        if not ignore_missing:
            return listed
        return [term for term in listed if not self._is_missing(term[0] if _is_weighted(term) else term)]

    def _directions(self, terms: list[Any], weighted: bool = True) -> tuple[np.ndarray, list[int]]:
        """Return the unit vectors (n, D) float64 of words and vectors, times their weights, and the words' rows."""
        vectors = np.zeros((len(terms), self.vector_size))
        weights = np.ones(len(terms))
        rows: list[int] = []
        for position, term in enumerate(terms):
            if _is_weighted(term):
                if not weighted:
                    raise InputError(f"weights need method 'add', got the weight {term[1]} with method 'mul'")
                weights[position] = check_number("a weight", term[1])
                term = term[0]
            if isinstance(term, str):
                row = self.lookup(term)
                vectors[position] = self._gather(row) if row >= 0 else self._vector(term)
                rows += [row] * (row >= 0)
            else:
                vectors[position] = _checked_query(term, self.vector_size)
        return normalized_rows(vectors) * weights[:, None], rows

    def _is_missing(self, term: Any) -> bool:
        return isinstance(term, str) and term not in self

    def _restricted(self, restrict: int | Iterable[str] | None) -> slice | np.ndarray:
        if restrict is None:
            return slice(None)
        if not isinstance(restrict, Iterable):
            return slice(check_whole("restrict", restrict, 1))
        return np.unique(self._rows(restrict))

    def _most_similar_add(
        self, wanted: np.ndarray, excluded: list[list[int]], top: int, restrict: slice | np.ndarray
    ) -> list[Answers]:
        directions = normalized_rows(wanted)
        if not directions.any(axis=1).all():
            raise InputError("the terms cancel out to a zero vector, which has no direction; use other words")
        return self._nearest(directions, excluded, top, restrict)

    def _nearest(
        self, directions: np.ndarray, excluded: list[list[int]], top: int, restrict: slice | np.ndarray
    ) -> list[Answers]:
        if len(directions) == 1 and isinstance(restrict, slice) and restrict == slice(None):
            found = self._narrowed(directions[0], excluded[0], top)
            if found is not None:
                exact = search.cosines(self.vectors[found], directions)[0]
                return [self._answers(*search.ranked(found, exact, top))]
        rows = np.arange(len(self))[restrict]
        error = search.cosine_error(self.vector_size)
        block = search.query_block(len(rows))
        answers: list[Answers] = []
        for start in range(0, len(directions), block):
            scores = self._scores(directions[start : start + block], restrict)
            for number, score in enumerate(scores, start):
                score[_places(rows, excluded[number])] = -np.inf
                found = rows[search.contenders(score - error, score + error, top)]
                exact = search.cosines(self.vectors[found], directions[number : number + 1])[0]
                answers.append(self._answers(*search.ranked(found, exact, top)))
        return answers

    def _narrowed(self, direction: np.ndarray, excluded: list[int], top: int) -> np.ndarray | None:
        """Return the rows that can be among the nearest, once many single questions have been asked."""
        self._questions += 1
        if self._questions <= AFTER or len(self) < max(FEWEST_ROWS, 20 * top) or is_mapped(self.vectors):
            return None
        if self._rounded is None:
            self._rounded = RoundedRows(self.unit_vectors)
        return self._rounded.candidates(direction, top, excluded)

    def _scores(self, directions: np.ndarray, restrict: slice | np.ndarray) -> np.ndarray:
        """Return the cosines (Q, R) float32 of directions (Q, D) and rows, with errors below ``cosine_error``."""
        if is_mapped(self.vectors):
            return search.mapped_scores(self.vectors[restrict], directions.astype(np.float32))
        return np.asarray(directions.astype(np.float32) @ self.unit_vectors[restrict].T)

    def _most_similar_mul(
        self,
        near: np.ndarray,
        far: np.ndarray,
        excluded: list[int],
        top: int,
        restrict: slice | np.ndarray,
        epsilon: float,
    ) -> Answers:
        rows = np.arange(len(self))[restrict]
        error = search.cosine_error(self.vector_size)
        close, remote = self._scores(near, restrict), self._scores(far, restrict)
        lowest = search.mul_scores(np.maximum(close - error, -1), np.minimum(remote + error, 1), epsilon)
        highest = search.mul_scores(np.minimum(close + error, 1), np.maximum(remote - error, -1), epsilon)
        # The relative slack covers the float32 rounding of the product.
        lowest, highest = lowest * np.float32(1 - 1e-5), highest * np.float32(1 + 1e-5)
        places = _places(rows, excluded)
        lowest[places], highest[places] = -np.inf, -np.inf
        found = rows[search.contenders(lowest, highest, top)]
        vectors = self.vectors[found]
        exact = search.mul_scores(search.cosines(vectors, near), search.cosines(vectors, far), epsilon)
        return self._answers(*search.ranked(found, exact, top))

    def _answers(self, rows: np.ndarray, scores: np.ndarray) -> Answers:
        return Neighbors((self.tokens[row], score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True))


def _is_weighted(term: Any) -> bool:
    """Whether a query term is a pair of a word or vector and its weight."""
    return isinstance(term, tuple) and len(term) == 2 and isinstance(term[1], Real) and not isinstance(term[0], Real)


def _places(rows: np.ndarray, excluded: list[int]) -> np.ndarray:
    """Return the positions of the ``excluded`` rows in the ascending ``rows``, skipping those not among them."""
    places = np.searchsorted(rows, excluded)
    return np.array([place for place, row in zip(places, excluded, strict=True) if row in rows[place : place + 1]], int)


def _checked_query(vector: ArrayLike, vector_size: int) -> np.ndarray:
    query = real_array("a query vector", vector)
    if query.shape != (vector_size,):
        raise InputError(f"a query vector must have {vector_size} numbers, got shape {query.shape}")
    if not np.isfinite(query).all():
        raise InputError("a query vector must be finite, got NaN or infinity")
    return query
