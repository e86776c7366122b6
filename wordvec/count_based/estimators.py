"""Count-based word vectors as scikit-learn estimators: co-occurrence counts, PPMI, truncated SVD and GloVe."""

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from wordvec.count_based.models import count_based_options, count_based_settings, train_count_based
from wordvec.estimator import Corpus, VectorEstimator, seed_of
from wordvec.system.threads import threads_of


class _CountBasedEstimator(VectorEstimator):
    """Base of the count-based estimators, whose parameters are the settings of one model."""

    _model: ClassVar[str]

    def fit(self, X: Corpus, y: Any = None) -> Self:
        """Learn from texts, lists of tokens or a ``TextCorpus``; a one-shot generator is read once.

        Raises:
            InputError: a parameter out of range, a corpus without a vocabulary, or no two words within a window.
        """
        names = count_based_options(self._model) - {"seed"}
        given = {name: getattr(self, name) for name in names if hasattr(self, name)}
        settings = count_based_settings(self._model, **given, seed=seed_of(self.random_state))
        result = train_count_based(self._encode(X), settings, threads=threads_of(self.n_jobs))
        self.vectors_ = result.vectors
        self.vocabulary_ = result.vectors.vocabulary
        if result.losses:
            self.losses_ = result.losses
        return self


class _SparseEstimator(_CountBasedEstimator):
    """Base of the estimators whose vectors have a dimension for each context word."""

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the context words, column by column, (C,) str."""
        check_is_fitted(self)
        return np.array(self.vocabulary_.tokens, object)


class Cooccurrence(_SparseEstimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Sparse word vectors of co-occurrence counts, or of an association measure.

    The parameters are those of ``CooccurrenceSettings`` and of ``association_matrix``; ``vectors_`` are
    ``SparseWordVectors``.

    Example:
        >>> texts = ["we eat a red apple", "we eat a red cherry", "they drive a fast car", "they drive a fast bus"] * 5
        >>> vectors = Cooccurrence(window=2, min_count=1).fit(texts).vectors_
        >>> [token for token, _ in vectors.most_similar("apple", top=1)]
        ['cherry']
    """

    _model = "cooccurrence"

    def __init__(
        self,
        *,
        window: int = 5,
        contexts: str = "both",
        window_weights: str = "dynamic",
        subsample: float = 0.0,
        subsample_mode: str = "dirty",
        weighting: str = "count",
        smoothing: float | None = None,
        shift: float = 1.0,
        min_count: int = 5,
        max_vocabulary: int | None = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.window = window
        self.contexts = contexts
        self.window_weights = window_weights
        self.subsample = subsample
        self.subsample_mode = subsample_mode
        self.weighting = weighting
        self.smoothing = smoothing
        self.shift = shift
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.random_state = random_state
        self.n_jobs = n_jobs


class Ppmi(_SparseEstimator, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Sparse word vectors of positive pointwise mutual information (Levy, Goldberg & Dagan 2015).

    The parameters are those of ``CooccurrenceSettings`` and of ``association_matrix``; ``vectors_`` are
    ``SparseWordVectors``.

    Example:
        >>> texts = ["we eat a red apple", "we eat a red cherry", "they drive a fast car", "they drive a fast bus"] * 5
        >>> Ppmi(min_count=1).fit_transform(texts).shape
        (20, 11)
    """

    _model = "ppmi"

    def __init__(
        self,
        *,
        window: int = 5,
        contexts: str = "both",
        window_weights: str = "dynamic",
        subsample: float = 0.0,
        subsample_mode: str = "dirty",
        smoothing: float | None = None,
        shift: float = 1.0,
        min_count: int = 5,
        max_vocabulary: int | None = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.window = window
        self.contexts = contexts
        self.window_weights = window_weights
        self.subsample = subsample
        self.subsample_mode = subsample_mode
        self.smoothing = smoothing
        self.shift = shift
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.random_state = random_state
        self.n_jobs = n_jobs


class Svd(_CountBasedEstimator):
    """Word vectors by truncated SVD of an association matrix (Levy, Goldberg & Dagan 2015).

    The parameters are those of ``CooccurrenceSettings`` and ``SvdSettings``.

    Example:
        >>> texts = ["we eat a red apple", "we eat a red cherry", "they drive a fast car", "they drive a fast bus"] * 5
        >>> Svd(vector_size=4, min_count=1, random_state=1).fit_transform(texts).shape
        (20, 4)
    """

    _model = "svd"

    def __init__(
        self,
        *,
        window: int = 5,
        contexts: str = "both",
        window_weights: str = "dynamic",
        subsample: float = 0.0,
        subsample_mode: str = "dirty",
        vector_size: int = 100,
        weighting: str = "ppmi",
        smoothing: float | None = None,
        shift: float = 1.0,
        exponent: float = 0.5,
        add_contexts: bool = False,
        iterations: int = 3,
        oversampling: int = 10,
        min_count: int = 5,
        max_vocabulary: int | None = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.window = window
        self.contexts = contexts
        self.window_weights = window_weights
        self.subsample = subsample
        self.subsample_mode = subsample_mode
        self.vector_size = vector_size
        self.weighting = weighting
        self.smoothing = smoothing
        self.shift = shift
        self.exponent = exponent
        self.add_contexts = add_contexts
        self.iterations = iterations
        self.oversampling = oversampling
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.random_state = random_state
        self.n_jobs = n_jobs


class Glove(_CountBasedEstimator):
    """GloVe word vectors (Pennington et al. 2014).

    The parameters are those of ``CooccurrenceSettings`` and ``GloveSettings``.

    Attributes:
        losses_: the mean loss per nonzero count of every epoch.

    Example:
        >>> texts = ["we eat a red apple", "we eat a red cherry", "they drive a fast car", "they drive a fast bus"] * 5
        >>> Glove(vector_size=4, epochs=2, min_count=1, random_state=1).fit_transform(texts).shape
        (20, 4)
    """

    _model = "glove"

    def __init__(
        self,
        *,
        window: int = 15,
        contexts: str = "both",
        window_weights: str = "harmonic",
        subsample: float = 0.0,
        subsample_mode: str = "dirty",
        vector_size: int = 100,
        epochs: int = 25,
        learning_rate: float = 0.05,
        x_max: float = 10.0,
        alpha: float = 0.75,
        add_contexts: bool = True,
        min_count: int = 5,
        max_vocabulary: int | None = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.window = window
        self.contexts = contexts
        self.window_weights = window_weights
        self.subsample = subsample
        self.subsample_mode = subsample_mode
        self.vector_size = vector_size
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.x_max = x_max
        self.alpha = alpha
        self.add_contexts = add_contexts
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.random_state = random_state
        self.n_jobs = n_jobs
