"""Dense word vectors: cosine similarity, nearest neighbors and analogies (3CosAdd, 3CosMul)."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from corpora import tokenize
from corpora.normalization import normalized
from wordvec.errors import InputError
from wordvec.system.renamed import missing
from wordvec.system.structures import finite_array, freeze_arrays, frozen, is_mapped, owned, real_array
from wordvec.system.validation import shown
from wordvec.vectors import search
from wordvec.vectors.queries import Queries
from wordvec.vectors.rounded_rows import RoundedRows
from wordvec.vectors.similarities import listed_words
from wordvec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wordvec.formats.table import NodeTable, VectorTable

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
    "most_similar_cosmul": 'most_similar(..., method="mul")',
    "evaluate_word_analogies": "wordvec.evaluate_analogies(wv, path)",
    "evaluate_word_pairs": "wordvec.evaluate_similarity(wv, path)",
    "save_word2vec_format": "save(path)",
    "load_word2vec_format": "wordvec.load_vectors(path)",
    "add_vector": "with_vectors([word], [vector]), which makes new vectors",
    "add_vectors": "with_vectors(words, vectors), which makes new vectors",
    "vectors_for_all": "subset(words)",
    "relative_cosine_similarity": "relative_cosine(a, b)",
    "set_vecattr": "set_attribute(name, values)",
    "get_vecattr": "attributes[name][wv.token_id(word)]",
    "expandos": "attributes",
    "wmdistance": "wordvec.vectors.distances.word_movers_distance(wv, a, b)",
    "wv": "these vectors themselves",
    "similar_by_key": "most_similar(word)",
    "get_word_vector": "wv[word]",
    "get_sentence_vector": "mean_vector(line.split())",
    "get_word_id": "lookup(word)",
    "get_words": "tokens, with counts",
    "words": "tokens",
    "labels": "seqclf.load_model(path), which reads supervised models",
    "predict": "seqclf.load_model(path), which reads supervised models",
    "get_dimension": "vector_size",
    "get_nearest_neighbors": "most_similar(word, top=10)",
    "get_analogies": "analogy(b, a, c) for a - b + c",
    "get_subwords": "ngrams(word)",
    "get_input_vector": "subwords.ngram_vectors[row] or subwords.word_vectors[row]",
    "get_output_matrix": "context_vectors, or nodes after hierarchical softmax",
    "save_model": 'wordvec.save_vectors(wv, path, format="fasttext")',
}
"""Names of gensim and fastText, and what they are called here."""


class WordVectors(Queries):
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
        attributes: further numbers of each token by name, (V,) int64 or float64; see :meth:`set_attribute`.
        nodes: the tree of hierarchical softmax, from which training continues, or None.

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

    _composes = False
    """Whether vectors that are not given are composed when they are first needed."""

    def __init__(
        self,
        vocabulary: Vocabulary | Sequence[str],
        vectors: ArrayLike | None,
        *,
        context_vectors: ArrayLike | None = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "none",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.vocabulary = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(vocabulary)
        if vectors is not None or not self._composes:
            self.vectors = checked_matrix("vectors", vectors, len(self.vocabulary))
        self.context_vectors: np.ndarray | None = None
        if context_vectors is not None:
            self.context_vectors = checked_matrix("context_vectors", context_vectors, len(self.vocabulary))
            if self.context_vectors.shape[1] != self.vector_size:
                raise InputError(
                    f"context_vectors must have the shape of vectors, {(len(self), self.vector_size)}, "
                    f"got {self.context_vectors.shape}"
                )
        self.tokenizer = tokenizer
        self.lowercase = bool(lowercase)
        self.normalize = normalize
        self.settings: dict[str, Any] = dict(settings or {})
        self.origin: dict[str, Any] = {}
        self.attributes: dict[str, np.ndarray] = {}
        self.nodes: NodeTable | None = None
        self._units: np.ndarray | None = None
        self._rounded: RoundedRows | None = None
        self._questions = 0

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
            units = search.unit_rows(self.vectors)
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
        return {**self.__dict__, "_units": None, "_rounded": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({"attributes": {}, "_questions": 0, **state})
        freeze_arrays([*state.values(), *self.attributes.values()])

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
        return self.replaced(self.vectors + self.context_vectors)

    def replaced(self, vectors: ArrayLike) -> "WordVectors":
        """Return other vectors (V, any D) of the same tokens, with the same counts, settings and attributes.

        Example:
            >>> WordVectors(["up", "down"], [[0, 1], [0, -1]]).replaced([[2], [3]])["down"]
            array([3.], dtype=float32)
        """
        new = WordVectors(self.vocabulary, vectors, **self._how())
        new.origin, new.attributes = dict(self.origin), dict(self.attributes)
        return new

    def subset(self, words: Iterable[str], *, ignore_missing: bool = False) -> "WordVectors":
        """Return the vectors of these words in this order, with their counts and attributes.

        Vectors with n-grams compose those of words outside the vocabulary, whose counts and attributes are 0.

        Args:
            words: repeated ones are taken once. A word is kept as written, whatever form of it was found.
            ignore_missing: leave out words without a vector instead of raising ``UnknownTokenError``.

        Raises:
            InputError: no words, or none of them has a vector.

        Example:
            >>> wv = WordVectors(["up", "down"], [[0, 1], [0, -1]])
            >>> wv.subset(["Down", "left"], ignore_missing=True).tokens
            ['Down']
        """
        listed = list(dict.fromkeys(listed_words(words)))
        kept = [word for word in listed if word in self] if ignore_missing else listed
        if not kept:
            raise InputError(f"subset needs at least one word with a vector, got {len(listed)} without")
        rows = np.array([self.lookup(word) for word in kept])
        counts = None if self.counts is None else np.where(rows < 0, 0, self.counts[rows])
        new = self._with_tokens(Vocabulary(kept, counts), kept)
        new.attributes = {name: frozen(np.where(rows < 0, 0, held[rows])) for name, held in self.attributes.items()}
        return new

    def with_vectors(self, words: Sequence[str], vectors: ArrayLike) -> "WordVectors":
        """Return these vectors with those of some words added, or replaced if a word is a token, as written.

        Context vectors and n-grams are left out; counts and attributes of new words are 0.

        Args:
            words: n tokens.
            vectors: (n, D) float32.

        Raises:
            InputError: repeated words, or vectors of another shape or that are not finite.

        Example:
            >>> wv = WordVectors(["up", "down"], [[0, 1], [0, -1]])
            >>> wv.with_vectors(["left", "up"], [[-1, 0], [0, 2]]).tokens
            ['up', 'down', 'left']
        """
        given = Vocabulary(listed_words(words))
        rows = checked_matrix("vectors", vectors, len(given))
        if rows.shape[1] != self.vector_size:
            raise InputError(f"vectors must have {self.vector_size} columns, got {rows.shape[1]}")
        new = [token for token in given.tokens if token not in self.vocabulary]
        counts = None if self.counts is None else np.append(self.counts, np.zeros(len(new), np.int64))
        vocabulary = Vocabulary([*self.tokens, *new], counts)
        matrix = np.concatenate([self.vectors, np.zeros((len(new), self.vector_size), np.float32)])
        matrix[vocabulary.rows_of(given.tokens)] = rows
        found = WordVectors(vocabulary, frozen(matrix), **self._how())
        for name, held in self.attributes.items():
            found.set_attribute(name, np.append(held, np.zeros(len(new), held.dtype)))
        return found

    def set_attribute(self, name: str, values: ArrayLike) -> None:
        """Keep a number of each token in ``attributes``; ``.safetensors`` files store them.

        Args:
            name: letters, digits and ``_``.
            values: (V,) numbers, kept as int64 if their type is whole, else as float64.

        Raises:
            InputError: another name or number of values, or values that are not finite.

        Example:
            >>> wv = WordVectors(["up", "down"], [[0, 1], [0, -1]])
            >>> wv.set_attribute("year", [1066, 1492])
            >>> int(wv.attributes["year"][wv.token_id("down")])
            1492
        """
        if not isinstance(name, str) or not name.isidentifier():
            raise InputError(f"the name of an attribute must be letters, digits and _, got {shown(name)}")
        numbers = finite_array(name, values, (len(self),))
        if np.asarray(values).dtype.kind in "biu":
            numbers = np.asarray(values).astype(np.int64)
        self.attributes[name] = frozen(numbers.copy())

    def _with_tokens(self, vocabulary: Vocabulary, words: list[str]) -> "WordVectors":
        """Return the vectors of ``words`` under the tokens of a new vocabulary of the same length."""
        return WordVectors(vocabulary, frozen(self._vectors(words)), **self._how())

    # -- files --------------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the vectors to a file whose extension selects the format; see :func:`wordvec.save_vectors`."""
        from wordvec.formats.registry import write_table

        write_table(self.table(), path)

    def table(self) -> "VectorTable":
        """Return the contents of a file of these vectors."""
        from wordvec.formats.table import VectorTable

        return VectorTable(
            self.vocabulary, self.vectors, self.context_vectors, origin=self.origin, nodes=self.nodes,
            attributes=self.attributes, **self._how(),
        )  # fmt: skip


def checked_matrix(name: str, values: ArrayLike | None, size: int) -> np.ndarray:
    """Return ``values`` as a read-only matrix of ``size`` rows of finite float32; a writable one is copied.

    Those of a map of a file are not read: NaN and infinity are found when they are searched.

    Raises:
        InputError: they are no such matrix.
    """
    matrix = real_array(name, values, np.float32)
    if matrix.ndim != 2 or len(matrix) != size or not matrix.shape[1]:
        raise InputError(f"{name} must be a matrix of {size} rows, one per token, got shape {matrix.shape}")
    if is_mapped(matrix):
        return owned(matrix)
    for start in range(0, size, 1024):
        good = np.isfinite(matrix[start : start + 1024]).all(axis=1)
        if not good.all():
            raise InputError(f"{name} must be finite, got NaN or infinity in row {start + int(good.argmin())}")
    copied = isinstance(values, list | tuple | np.ndarray) and not np.may_share_memory(matrix, values)
    return frozen(matrix) if copied else owned(matrix)
