"""Dense word vectors: cosine similarity, nearest neighbors and analogies (3CosAdd, 3CosMul)."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from corpora import tokenize
from corpora.normalization import normalized
from wordvec.errors import InputError
from wordvec.system.renamed import missing, renamed
from wordvec.system.structures import finite_array, freeze_arrays, frozen, owned, real_array, whole_array
from wordvec.system.validation import check_number, check_whole, shown
from wordvec.vectors import search as queries
from wordvec.vectors.tables import Neighbors
from wordvec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wordvec.formats.table import VectorTable

Term: TypeAlias = str | np.ndarray | tuple[str | np.ndarray, float]
"""A query term: a word, a vector (D,), or one of these and its weight."""

Answers: TypeAlias = Neighbors
"""Tokens and their scores, in descending order."""


_log = logging.getLogger(__name__)

_DIRECTION = ", which has no direction; use other words"

_OTHER_NAMES = {
    "key_to_index": "vocabulary.token_to_id",
    "index_to_key": "tokens",
    "index2word": "tokens",
    "vocab": "vocabulary.token_to_id",
    "get_vector": "wv[word]",
    "word_vec": "wv[word]",
    "get_index": "token_id(word)",
    "get_mean_vector": "mean_vector(words)",
    "get_normed_vectors": "unit_vectors",
    "doesnt_match": "odd_one_out(words)",
    "similar_by_word": "most_similar(word)",
    "similar_by_key": "most_similar(word)",
    "most_similar_cosmul": 'most_similar(..., method="mul")',
    "evaluate_word_analogies": "wordvec.evaluate_analogies(wv, path)",
    "evaluate_word_pairs": "wordvec.evaluate_similarity(wv, path)",
    "save_word2vec_format": "save(path)",
    "load_word2vec_format": "wordvec.load_vectors(path)",
    "add_vector": "WordVectors(tokens, vectors), which makes new vectors",
    "add_vectors": "WordVectors(tokens, vectors), which makes new vectors",
    "wv": "these vectors themselves",
}
"""gensim's names, and what they are called here."""


class WordVectors:
    """A vocabulary and its vectors: lookup, similarity, nearest neighbors, analogies.

    Words are looked up as written, then lower-cased; several words ("new york") also as a phrase (``new_york``). The
    arrays are read-only: a writable one is copied.

    Args:
        vocabulary: a ``Vocabulary``, or its tokens.
        vectors: (V, D) float32, one row per token.
        context_vectors: (V, D) float32, the output vectors of training, or None.
        tokenizer: the name of the tokenizer the vectors were trained with.
        lowercase: whether the training text was lower-cased.
        normalize: the Unicode normalization form of the training text: ``none``, ``NFC`` or ``NFKC``.
        settings: how the vectors were trained; JSON-serializable.

    Attributes:
        origin: the training text and the versions, as ``train-embeddings`` records them in a file; JSON-serializable.

    Raises:
        InputError: mismatched shapes, or values that are not finite.

    Example:
        >>> wv = WordVectors(["king", "queen", "man", "woman"], [[1, 1], [1, -1], [0.2, 1], [0.2, -1]])
        >>> wv["queen"]
        array([ 1., -1.], dtype=float32)
        >>> [(token, round(score, 3)) for token, score in wv.analogy("man", "king", "woman")]
        [('queen', 0.963)]
        >>> [token for token, score in wv.most_similar("king", top=2)]
        ['man', 'queen']
    """

    def __init__(
        self,
        vocabulary: Vocabulary | Sequence[str],
        vectors: ArrayLike,
        *,
        context_vectors: ArrayLike | None = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "none",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.vocabulary = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(vocabulary)
        self.vectors = _checked_matrix("vectors", vectors, len(self.vocabulary))
        self.context_vectors: np.ndarray | None = None
        if context_vectors is not None:
            self.context_vectors = _checked_matrix("context_vectors", context_vectors, len(self.vocabulary))
            if self.context_vectors.shape != self.vectors.shape:
                raise InputError(
                    f"context_vectors must have the shape of vectors, {self.vectors.shape}, "
                    f"got {self.context_vectors.shape}"
                )
        self.tokenizer = tokenizer
        self.lowercase = bool(lowercase)
        self.normalize = normalize
        self.settings: dict[str, Any] = dict(settings or {})
        self.origin: dict[str, Any] = {}
        self._units: np.ndarray | None = None

    # -- contents -----------------------------------------------------------------------------------------------------

    @property
    def states_tokenizer(self) -> bool:
        """Whether ``tokenizer`` and ``lowercase`` are known; files of other programs do not state them."""
        is_default = self.tokenizer == "whitespace" and not self.lowercase
        return not is_default or (bool(self.settings) and "trained_by" not in self.settings)

    @property
    def tokens(self) -> list[str]:
        """The tokens in row order."""
        return self.vocabulary.tokens

    @property
    def counts(self) -> np.ndarray | None:
        """(V,) int64, the training corpus count of each token, or None."""
        return self.vocabulary.counts

    @property
    def vector_size(self) -> int:
        """D, the number of dimensions."""
        return int(self.vectors.shape[1])

    @property
    def unit_vectors(self) -> np.ndarray:
        """(V, D) float32, the L2-normalized vectors, cached on first use."""
        if self._units is None:
            units = queries.unit_rows(self.vectors)
            units.flags.writeable = False
            self._units = units
        return self._units

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tokens)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.lookup(word) >= 0

    def __getitem__(self, words: str | Sequence[str]) -> np.ndarray:
        """Return the vector (D,) of a word, or the vectors (n, D) of several."""
        if isinstance(words, str):
            return self._vector(words)
        if isinstance(words, Real | slice):
            raise InputError(f"expected a word or a list of words, got {words}; wv.vectors[row] is the vector of a row")
        return self._vectors(words)

    def __getattr__(self, name: str) -> Any:
        raise missing(self, name, _OTHER_NAMES)

    def __repr__(self) -> str:
        return f"<WordVectors of {len(self):,} tokens x {self.vector_size}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_units": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        freeze_arrays(state.values())

    def lookup(self, word: str) -> int:
        """Return the row of ``word`` as written, lower-cased, normalized, or joined as a phrase, else -1.

        Example:
            >>> WordVectors(["new_york", "is"], [[1], [0]]).lookup("New York")
            0
        """
        row = self.vocabulary.lookup(word)
        if row < 0 and (form := normalized(word, self.normalize)) != word:
            row = self.vocabulary.lookup(form)
        return self.vocabulary.lookup(self.joined(word)) if row < 0 and len(word.split()) > 1 else row

    def token_id(self, word: str) -> int:
        """Return the row of ``word``, as found by :meth:`lookup`.

        Raises:
            UnknownTokenError: the word is not in the vocabulary; the message suggests similar spellings.
        """
        row = self.lookup(word)
        return row if row >= 0 else self.vocabulary.token_id(word)

    def joined(self, words: str) -> str:
        """Return several words as one token, joined like the phrases of the training text, by default with ``_``.

        Example:
            >>> WordVectors(["new_york"], [[1]]).joined("new york")
            'new_york'
        """
        phrases = self.settings.get("phrases")
        delimiter = phrases.get("delimiter") if isinstance(phrases, Mapping) else None
        return (delimiter if isinstance(delimiter, str) else "_").join(words.split())

    def encode_text(self, text: str) -> np.ndarray:
        """Return the rows (int32) of the known tokens of ``text``, tokenized like the training text."""
        return self.vocabulary.encode(self.tokenize(text))

    def tokenize(self, text: str) -> list[str]:
        """Return the tokens of ``text``, tokenized, cased and normalized like the training text."""
        tokens: list[str] = tokenize(text, self.tokenizer, self.lowercase, self.normalize)
        return tokens

    def _how(self) -> dict[str, Any]:
        """Return how the vectors were made, as keyword arguments."""
        names = ("tokenizer", "lowercase", "normalize", "settings")
        return {name: getattr(self, name) for name in names}

    def combined(self) -> "WordVectors":
        """Return the sums of input and output vectors: often better for relatedness, worse for syntax.

        The w + c of Levy, Goldberg & Dagan 2015, section 3.3.

        Raises:
            InputError: these vectors have no context vectors.
        """
        if self.context_vectors is None:
            raise InputError("these vectors have no context vectors to add; only our .safetensors files store them")
        return WordVectors(
            self.vocabulary,
            frozen(self.vectors + self.context_vectors),
            **self._how(),
        )

    # -- files --------------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vectors to a file whose extension selects the format; see :func:`wordvec.save_vectors`."""
        from wordvec.formats.registry import write_table

        write_table(self.table(), path)

    def table(self) -> "VectorTable":
        """Return the contents of a file of these vectors."""
        from wordvec.formats.table import VectorTable

        return VectorTable(self.vocabulary, self.vectors, self.context_vectors, origin=self.origin, **self._how())

    # -- similarity ---------------------------------------------------------------------------------------------------

    def similarity(self, a: str, b: str) -> float:
        """Return the cosine similarity of two words, -1 to 1; 0 if either vector is zero.

        Example:
            >>> WordVectors(["up", "right", "down"], [[0, 2], [3, 0], [0, -1]]).similarity("up", "down")
            -1.0
        """
        first, second = (a, b) if (self.lookup(a), a) <= (self.lookup(b), b) else (b, a)  # both orders give the same
        return float(self.similarities(first, [second])[0])

    def similarities(self, word: str, others: Iterable[str] | None = None) -> np.ndarray:
        """Return the cosine similarity (n,) float64 of ``word`` with ``others``; None: all tokens in row order."""
        vectors = self.vectors if others is None else self._vectors(others)
        return np.asarray(queries.cosines(vectors, _normalized(self._vector(word)[None]))[0])

    def row_similarities(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return the cosine similarity (n,) float64 of each row in ``left`` (n,) with its row in ``right`` (n,)."""
        left, right = self._row_pairs(left, right)
        a, b = (self.vectors[rows].astype(np.float64) for rows in (left, right))
        lengths = queries.row_norms(a) * queries.row_norms(b)
        return np.asarray((a * b).sum(axis=1) / np.where(lengths == 0, 1, lengths))

    def _row_pairs(self, left: ArrayLike, right: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        a, b = (whole_array(name, rows, len(self)) for name, rows in (("left", left), ("right", right)))
        if len(a) != len(b):
            raise InputError(f"left and right must have the same length, got {len(a)} and {len(b)} rows")
        return a, b

    def distance(self, a: str, b: str) -> float:
        """Return the cosine distance of two words, 1 - similarity, 0 to 2."""
        return 1 - self.similarity(a, b)

    def distances(self, word: str, others: Iterable[str] | None = None) -> np.ndarray:
        """Return the cosine distance (n,) float64 of ``word`` from ``others``; None: all tokens in row order."""
        return 1 - self.similarities(word, others)

    def mean_vector(
        self,
        words: Sequence[str],
        weights: ArrayLike | None = None,
        *,
        unit: bool = True,
        ignore_missing: bool = False,
    ) -> np.ndarray:
        """Return the weighted mean (D,) float32 of the words' vectors, L2-normalized first if ``unit``.

        The weighted sum is divided by the sum of the absolute weights, so that weights may be negative.

        Args:
            words: the words.
            weights: one number per word; None: 1 for each.
            unit: whether vectors are L2-normalized first.
            ignore_missing: leave out words that are not in the vocabulary instead of raising ``UnknownTokenError``.

        Raises:
            InputError: no words, none of them known, a different number of weights, or all weights 0.
        """
        words = self._listed(words)
        if not len(words):
            raise InputError("mean_vector needs at least one word")
        given = np.ones(len(words)) if weights is None else real_array("weights", weights)
        if given.shape != (len(words),):
            raise InputError(f"weights must be one per word: {len(words)} words, weights of shape {given.shape}")
        given = finite_array("weights", given, (len(words),))
        if ignore_missing:
            known = [word in self for word in words]
            if not any(known):
                raise InputError(f"none of the {len(words)} words is in the vocabulary ({len(self):,} tokens)")
            words, given = [word for word in words if word in self], given[known]
        if not given.any():
            raise InputError("weights must not all be 0")
        vectors = self._vectors(words).astype(np.float64)
        if unit:
            vectors = _normalized(vectors)
        return np.asarray((given @ vectors / np.abs(given).sum()).astype(np.float32))

    def n_similarity(self, words: Sequence[str], others: Sequence[str], *, ignore_missing: bool = False) -> float:
        """Return the cosine similarity of the mean vectors of two sets of words.

        ``ignore_missing``: leave out words that are not in the vocabulary.
        """
        mean = self.mean_vector(words, unit=False, ignore_missing=ignore_missing)
        other = self.mean_vector(others, unit=False, ignore_missing=ignore_missing)
        cosine = (_normalized(mean[None]) * _normalized(other[None])).sum()  # both orders give the same
        return float(np.clip(cosine, -1, 1))

    def odd_one_out(self, words: Sequence[str]) -> str:
        """Return the word least similar to the mean of all the unit vectors; the first in case of ties.

        Raises:
            InputError: fewer than three words.

        Example:
            >>> wv = WordVectors(["cat", "dog", "tax"], [[1, 0.1], [1, 0.2], [-0.3, 1]])
            >>> wv.odd_one_out(["cat", "dog", "tax"])
            'tax'
        """
        words = list(words)
        if len(words) < 3:
            raise InputError(f"odd_one_out needs at least 3 words, got {len(words)}")
        units = _normalized(self._vectors(words))
        return words[int(np.argmin((units * units.mean(axis=0)).sum(axis=1)))]

    def most_similar_to_given(self, word: str, others: Sequence[str]) -> str:
        """Return the word of ``others`` most similar to ``word``; the first in case of ties."""
        others = list(others)
        if not others:
            raise InputError("most_similar_to_given needs at least one other word")
        return others[int(np.argmax(self.similarities(word, others)))]

    def closer_than(self, word: str, other: str) -> list[str]:
        """Return the tokens more similar to ``word`` than ``other`` is, the most similar first, without ``word``."""
        scores = self.similarities(word)
        own, row = self.lookup(word), self.lookup(other)
        limit = scores[row] if row >= 0 else self.similarities(word, [other])[0]
        rows = np.flatnonzero(scores > limit)
        rows, _ = queries.ranked(rows[rows != own], scores[rows[rows != own]], len(rows))
        return [self.tokens[row] for row in rows]

    def rank(self, word: str, other: str) -> int:
        """Return the rank of ``other`` among the neighbors of ``word``; 1 for the nearest."""
        return len(self.closer_than(word, other)) + 1

    # -- nearest neighbors and analogies ------------------------------------------------------------------------------

    @renamed(topn="top", restrict_vocab="restrict")
    def most_similar(
        self,
        positive: Term | Sequence[Term],
        negative: Term | Sequence[Term] = (),
        top: int = 10,
        *,
        restrict: int | Iterable[str] | None = None,
        method: Literal["add", "mul"] = "add",
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

        Returns:
            Tokens and scores in descending order, ties in row order, without the query words.

        Raises:
            UnknownTokenError: a word is not in the vocabulary.
            InputError: no terms, a vector of the wrong size, only zero vectors, terms that cancel out, weights with
                ``"mul"``, or ``top`` below 1.
        """
        weighted = method != "mul"
        near, rows_near = self._terms(positive, weighted)
        far, rows_far = self._terms(negative, weighted)
        if not len(near) + len(far):
            raise InputError("most_similar needs at least one word or vector")
        if method not in ("add", "mul"):
            raise InputError(f"method must be 'add' or 'mul', got {method!r}")
        excluded = rows_near + rows_far
        zeros = []
        if not (near.any(axis=1).all() and far.any(axis=1).all()):
            zeros = [row for row in excluded if not self._gather(row).any()]
            if not (near.any() or far.any()) and len(zeros) == len(excluded):
                raise InputError(self._zero_message(excluded))
        if zeros:
            _log.warning("%s and does not influence the result", self._zero_message(zeros).removesuffix(_DIRECTION))
        if method == "mul":
            return self._most_similar_mul(near, far, excluded, check_whole("top", top, 1), self._restricted(restrict))
        query = near.sum(axis=0) - far.sum(axis=0)
        return self._most_similar_add(query[None], [excluded], check_whole("top", top, 1), self._restricted(restrict))[
            0
        ]

    def most_similar_batch(
        self, terms: Sequence[Term] | np.ndarray, top: int = 10, *, restrict: int | Iterable[str] | None = None
    ) -> list[Answers]:
        """Return the nearest neighbors of each of several words or vectors: :meth:`most_similar`, but faster.

        Example:
            >>> wv = WordVectors(["up", "north", "down"], [[0, 2], [0.1, 2], [0, -1]])
            >>> [[token for token, _ in answers] for answers in wv.most_similar_batch(["up", "down"], top=1)]
            [['north'], ['north']]
        """
        parsed = [self._terms(term) for term in terms]
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

    # -- implementation -----------------------------------------------------------------------------------------------

    def _gather(self, rows: Any) -> np.ndarray:
        """Return the vector of a row, or the vectors of several."""
        return np.asarray(self.vectors[rows])

    def _vector(self, word: str) -> np.ndarray:
        return self._gather(self.token_id(word))

    def _vectors(self, words: Iterable[str]) -> np.ndarray:
        """Return the vectors (n, D) of words."""
        return self._gather(self._rows(words))

    def _rows(self, words: Iterable[str]) -> np.ndarray:
        """Return the rows (n,) int64 of words."""
        return np.array([self.token_id(word) for word in self._listed(words)], dtype=np.int64)

    @staticmethod
    def _listed(words: Iterable[str]) -> list[str]:
        if isinstance(words, str | bytes):
            kind = "string" if isinstance(words, str) else "bytes"
            raise InputError(f"expected a list of words, got the {kind} {words!r}; pass [word, ...]")
        if not isinstance(words, Iterable):
            raise InputError(f"expected a word or a list of words, got {shown(words)}")
        return list(words)

    def _zero_message(self, rows: list[int]) -> str:
        if not rows:
            return "the query vector is all zeros, which has no direction; pass another vector"
        words = " and ".join(repr(self.tokens[row]) for row in dict.fromkeys(rows))
        vectors = "vector" if len(set(rows)) == 1 else "vectors"
        return f"the {vectors} of {words} {'is' if vectors == 'vector' else 'are'} all zeros{_DIRECTION}"

    def _terms(self, terms: Term | Sequence[Term], weighted: bool = True) -> tuple[np.ndarray, list[int]]:
        """Return the unit vectors (n, D) float64 of words and vectors, times their weights, and the words' rows."""
        if isinstance(terms, str) or (isinstance(terms, np.ndarray) and terms.ndim == 1) or _is_weighted(terms):
            terms = [terms]  # type: ignore[list-item]
        if not isinstance(terms, Iterable):
            raise InputError(f"expected words or vectors, got {shown(terms)}")
        listed: list[Any] = list(terms)
        vectors = np.zeros((len(listed), self.vector_size))
        weights = np.ones(len(listed))
        rows: list[int] = []
        for position, (vector, term) in enumerate(zip(vectors, listed, strict=True)):
            if _is_weighted(term):
                if not weighted:
                    raise InputError(f"weights need method 'add', got the weight {term[1]} with method 'mul'")
                weights[position] = check_number("a weight", term[1])
                term = term[0]
            if isinstance(term, str):
                vector[:] = self._vector(term)
                rows += [row for row in (self.lookup(term),) if row >= 0]
            else:
                vector[:] = _checked_query(term, self.vector_size)
        return _normalized(vectors) * weights[:, None], rows

    def _restricted(self, restrict: int | Iterable[str] | None) -> slice | np.ndarray:
        if restrict is None:
            return slice(None)
        if not isinstance(restrict, Iterable):
            return slice(check_whole("restrict", restrict, 1))
        return np.unique(self._rows(restrict))

    def _most_similar_add(
        self, wanted: np.ndarray, excluded: list[list[int]], top: int, restrict: slice | np.ndarray
    ) -> list[Answers]:
        directions = _normalized(wanted)
        if not directions.any(axis=1).all():
            raise InputError("the terms cancel out to a zero vector, which has no direction; use other words")
        return self._nearest(directions, excluded, top, restrict)

    def _nearest(
        self, directions: np.ndarray, excluded: list[list[int]], top: int, restrict: slice | np.ndarray
    ) -> list[Answers]:
        rows, units = np.arange(len(self))[restrict], self.unit_vectors[restrict]
        error = queries.cosine_error(self.vector_size)
        block = queries.query_block(len(rows))
        answers: list[Answers] = []
        for start in range(0, len(directions), block):
            scores = directions[start : start + block].astype(np.float32) @ units.T
            for number, score in enumerate(scores, start):
                score[_places(rows, excluded[number])] = -np.inf
                found = rows[queries.contenders(score - error, score + error, top)]
                exact = queries.cosines(self.vectors[found], directions[number : number + 1])[0]
                answers.append(self._answers(*queries.ranked(found, exact, top)))
        return answers

    def _most_similar_mul(
        self, near: np.ndarray, far: np.ndarray, excluded: list[int], top: int, restrict: slice | np.ndarray
    ) -> Answers:
        rows, units = np.arange(len(self))[restrict], self.unit_vectors[restrict]
        error = queries.cosine_error(self.vector_size)
        close, remote = near.astype(np.float32) @ units.T, far.astype(np.float32) @ units.T
        lowest = queries.mul_scores(np.maximum(close - error, -1), np.minimum(remote + error, 1))
        highest = queries.mul_scores(np.minimum(close + error, 1), np.maximum(remote - error, -1))
        # The relative slack covers the float32 rounding of the product.
        lowest, highest = lowest * np.float32(1 - 1e-5), highest * np.float32(1 + 1e-5)
        places = _places(rows, excluded)
        lowest[places], highest[places] = -np.inf, -np.inf
        found = rows[queries.contenders(lowest, highest, top)]
        vectors = self.vectors[found]
        exact = queries.mul_scores(queries.cosines(vectors, near), queries.cosines(vectors, far))
        return self._answers(*queries.ranked(found, exact, top))

    def _answers(self, rows: np.ndarray, scores: np.ndarray) -> Answers:
        return Neighbors((self.tokens[row], score) for row, score in zip(rows.tolist(), scores.tolist(), strict=True))


def _is_weighted(term: Any) -> bool:
    """Whether a query term is a pair of a word or vector and its weight."""
    return isinstance(term, tuple) and len(term) == 2 and isinstance(term[1], Real) and not isinstance(term[0], Real)


def _normalized(vectors: np.ndarray) -> np.ndarray:
    """Return ``vectors`` (n, D) with L2-normalized rows, float64; zero rows stay zero."""
    norms = queries.row_norms(vectors)
    return vectors / np.where(norms == 0, 1, norms)[:, None]


def _places(rows: np.ndarray, excluded: list[int]) -> np.ndarray:
    """Return the positions of the ``excluded`` rows in the ascending ``rows``, skipping those not among them."""
    places = np.searchsorted(rows, excluded)
    return np.array([place for place, row in zip(places, excluded, strict=True) if row in rows[place : place + 1]], int)


def _checked_matrix(name: str, values: ArrayLike, size: int) -> np.ndarray:
    matrix = real_array(name, values, np.float32)
    if matrix.ndim != 2 or len(matrix) != size or not matrix.shape[1]:
        raise InputError(f"{name} must be a matrix of {size} rows, one per token, got shape {matrix.shape}")
    for start in range(0, size, 8192):
        good = np.isfinite(matrix[start : start + 8192]).all(axis=1)
        if not good.all():
            raise InputError(f"{name} must be finite, got NaN or infinity in row {start + int(good.argmin())}")
    copied = isinstance(values, list | tuple | np.ndarray) and not np.may_share_memory(matrix, values)
    return frozen(matrix) if copied else owned(matrix)


def _checked_query(vector: ArrayLike, vector_size: int) -> np.ndarray:
    query = real_array("a query vector", vector)
    if query.shape != (vector_size,):
        raise InputError(f"a query vector must have {vector_size} numbers, got shape {query.shape}")
    if not np.isfinite(query).all():
        raise InputError("a query vector must be finite, got NaN or infinity")
    return query
