"""Word2Vec as a scikit-learn transformer."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from corpora import TextCorpus, tokenize
from wordvec.encoding.corpus import encode_corpus
from wordvec.errors import InputError
from wordvec.word2vec.settings import Word2VecSettings
from wordvec.word2vec.training import train_word2vec


class Word2Vec(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """CBOW or skip-gram word vectors; transforms texts to the means of their word vectors.

    The parameters are those of ``Word2VecSettings``, except that ``random_state`` is the seed (None draws one; with a
    fixed one, results are bit-identical at any ``n_jobs``) and ``n_jobs`` the number of threads (None: one per core).

    Attributes:
        vectors_: ``WordVectors``, the trained vectors.
        vocabulary_: ``Vocabulary``, words by descending frequency.
        losses_: mean loss per pair of each epoch, in nats.

    Example:
        >>> texts = ["the king rules the land", "the queen rules the land"] * 20
        >>> model = Word2Vec(vector_size=16, min_count=1, epochs=2, random_state=1).fit(texts)
        >>> len(model.vectors_.most_similar("king", top=3))
        3
        >>> model.transform(["the king", "nothing known"]).shape
        (2, 16)
    """

    def __init__(
        self,
        model: str = "skipgram",
        *,
        vector_size: int = 100,
        window: int = 5,
        window_weights: str | None = None,
        negatives: int = 5,
        epochs: int = 5,
        learning_rate: float | None = None,
        min_learning_rate: float | None = None,
        subsample: float = 1e-3,
        noise_exponent: float = 0.75,
        cbow_gradient: str = "sum",
        mode: str = "reproducible",
        shared_negatives: int | None = None,
        block_size: int | None = None,
        lanes: int = 8,
        lane_tokens: int = 128,
        loss: str = "negative",
        fresh_negatives: bool | None = None,
        preset: str | None = None,
        min_count: int = 5,
        max_vocabulary: int | None = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.model = model
        self.vector_size = vector_size
        self.window = window
        self.window_weights = window_weights
        self.negatives = negatives
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.subsample = subsample
        self.noise_exponent = noise_exponent
        self.cbow_gradient = cbow_gradient
        self.mode = mode
        self.shared_negatives = shared_negatives
        self.block_size = block_size
        self.lanes = lanes
        self.lane_tokens = lane_tokens
        self.loss = loss
        self.fresh_negatives = fresh_negatives
        self.preset = preset
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: TextCorpus | Iterable[str] | Iterable[list[str]], y: Any = None) -> "Word2Vec":
        """Train on texts, lists of tokens or a ``TextCorpus``; a one-shot generator is allowed.

        Raises:
            InputError: a parameter out of range, or a corpus with an empty vocabulary.
        """
        settings = self._settings().resolved()
        corpus = encode_corpus(
            X,
            min_count=self.min_count,
            max_vocabulary=self.max_vocabulary,
            tokenizer=self.tokenizer,
            lowercase=self.lowercase,
            threads=_threads(self.n_jobs),
        )
        result = train_word2vec(corpus, settings, threads=_threads(self.n_jobs))
        self.vectors_ = result.vectors
        self.vocabulary_ = result.vectors.vocabulary
        self.losses_ = result.losses
        return self

    def fit_transform(self, X: TextCorpus | Iterable[str] | Iterable[list[str]], y: Any = None) -> np.ndarray:
        """Train on texts and return their vectors; a one-shot generator is read into a list."""
        return super().fit_transform(list(X) if isinstance(X, Iterator) else X, y)

    def transform(self, X: Iterable[str] | Iterable[list[str]]) -> np.ndarray:
        """Return the mean vector of the known words of each text, (texts, D) float32; zeros if it has none.

        Raises:
            InputError: X is a single string, or has an item that is neither a text nor a list of tokens.
        """
        check_is_fitted(self)
        if isinstance(X, str | bytes):
            raise InputError("expected an iterable of texts or token lists, got one string; put it in a list")
        wv = self.vectors_
        rows = []
        for place, text in enumerate(X):
            tokens = tokenize(text, wv.tokenizer, wv.lowercase) if isinstance(text, str) else _listed(text, place)
            known = [k for k in map(wv.lookup, tokens) if k >= 0]
            rows.append(wv.vectors[known].mean(axis=0) if known else np.zeros(wv.vector_size, np.float32))
        return np.array(rows, np.float32).reshape(-1, wv.vector_size)

    @property
    def _n_features_out(self) -> int:
        """Number of columns of ``transform``, for ``get_feature_names_out`` and ``set_output``."""
        return self.vectors_.vector_size

    def _settings(self) -> Word2VecSettings:
        given = {name: getattr(self, name) for name in Word2VecSettings.__dataclass_fields__ if name != "seed"}
        return Word2VecSettings(**given, seed=_seed(self.random_state))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        tags.requires_fit = True
        return tags


def _listed(text: Any, place: int) -> list[str]:
    """Return the tokens of a text given as a list of tokens."""
    if isinstance(text, bytes) or not isinstance(text, Iterable):
        raise InputError(f"item {place} is of type {type(text).__name__}, expected a text or a list of tokens")
    tokens = list(text)
    for token in tokens:
        if not isinstance(token, str):
            raise InputError(f"item {place} contains {token!r}; a token must be a string")
    return tokens


def _seed(random_state: Any) -> int:
    """Return a seed from scikit-learn's ``random_state``: None, an integer or a ``RandomState``."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, int | np.integer) and random_state >= 0:
        return int(random_state)
    raise InputError(f"random_state must be None, a RandomState or an integer of at least 0, got {random_state!r}")


def _threads(n_jobs: int | None) -> int | None:
    """Map scikit-learn's -1, all cores, to None."""
    return None if n_jobs is None or n_jobs == -1 else n_jobs
