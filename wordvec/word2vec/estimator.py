"""Word2Vec and FastText as scikit-learn transformers."""

from typing import Any

from wordvec.errors import InputError
from wordvec.estimator import Corpus, VectorEstimator, seed_of
from wordvec.system.renamed import missing, renamed
from wordvec.system.threads import threads_of
from wordvec.word2vec.settings import Word2VecSettings
from wordvec.word2vec.training import train_word2vec

_OTHER_NAMES = {
    "wv": "vectors_ after fit(texts)",
    "build_vocab": "fit(texts), which counts and trains",
    "train": "fit(texts), which counts and trains",
    "load": "wordvec.load_vectors(path)",
    "save": "vectors_.save(path)",
    "vectors_": "fit(texts) first",
    "most_similar": "vectors_.most_similar(word)",
    "similarity": "vectors_.similarity(a, b)",
}
"""gensim's attributes, and what they are called here."""
_OTHER_ARGUMENTS = {
    "sentences": "fit(texts)",
    "corpus_file": "fit(TextCorpus(path))",
    "size": "vector_size",
    "iter": "epochs",
    "sg": 'model="skipgram" (the default) or "cbow"',
    "hs": 'loss="hierarchical"',
    "negative": "negatives",
    "cbow_mean": "nothing: CBOW averages the context",
    "alpha": "learning_rate",
    "min_alpha": "min_learning_rate",
    "sample": "subsample",
    "ns_exponent": "noise_exponent",
    "max_final_vocab": "max_vocabulary",
    "seed": "random_state",
    "workers": "n_jobs",
    "min_n": 'subwords="3-6"',
    "max_n": 'subwords="3-6"',
    "bucket": "buckets",
    "shrink_windows": 'window_weights="sampled" or "flat"',
    "input": "fit(TextCorpus(path))",
    "dim": "vector_size",
    "ws": "window",
    "epoch": "epochs",
    "lr": "learning_rate",
    "minCount": "min_count",
    "minn": 'subwords="3-6"',
    "maxn": 'subwords="3-6"',
    "neg": "negatives",
    "t": "subsample",
    "thread": "n_jobs",
    "hashCount": "subword_hashes",
}
"""Arguments of gensim and fastText, and what they are called here."""


class Word2Vec(VectorEstimator):
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

    @renamed(**_OTHER_ARGUMENTS)
    def __init__(
        self,
        model: str = "skipgram",
        *,
        vector_size: int = 100,
        window: int = 5,
        window_weights: str | None = None,
        negatives: int = 5,
        epochs: int | None = None,
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
        subwords: str | None = None,
        buckets: int = 2_000_000,
        subword_hashes: int | None = None,
        min_count: int = 5,
        max_vocabulary: int | None = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
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
        self.subwords = subwords
        self.buckets = buckets
        self.subword_hashes = subword_hashes
        self.min_count = min_count
        self.max_vocabulary = max_vocabulary
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Corpus, y: Any = None) -> "Word2Vec":
        """Train on texts, lists of tokens or a ``TextCorpus``; a one-shot generator is allowed.

        Raises:
            InputError: a parameter out of range, a corpus with an empty vocabulary, or no two words within a window.
        """
        if not isinstance(self.model, str):
            raise InputError("model must be a string, not texts; pass them to fit, as in Word2Vec().fit(texts)")
        settings = self._settings()
        settings.resolved()  # checked before the texts are read
        result = train_word2vec(self._encode(X), settings, threads=threads_of(self.n_jobs))
        self.vectors_ = result.vectors
        self.vocabulary_ = result.vectors.vocabulary
        self.losses_ = result.losses
        return self

    def __getattr__(self, name: str) -> Any:
        raise missing(self, name, _OTHER_NAMES)

    def _settings(self) -> Word2VecSettings:
        given = {name: getattr(self, name) for name in Word2VecSettings.__dataclass_fields__ if name != "seed"}
        return Word2VecSettings(**given, seed=seed_of(self.random_state))


class FastText(Word2Vec):
    """``Word2Vec`` with subwords: no word is without a vector (Bojanowski et al. 2017, arXiv 1607.04606).

    The parameters and attributes are those of ``Word2Vec``, except that ``subwords`` is ``"3-6"`` by default;
    ``vectors_`` are ``SubwordVectors``.

    Example:
        >>> texts = ["the king rules the land", "the queen rules the land"] * 20
        >>> model = FastText(vector_size=16, min_count=1, epochs=2, random_state=1).fit(texts)
        >>> model.vectors_["kingdom"].shape
        (16,)
    """

    @renamed(**_OTHER_ARGUMENTS)
    def __init__(
        self,
        model: str = "skipgram",
        *,
        vector_size: int = 100,
        window: int = 5,
        window_weights: str | None = None,
        negatives: int = 5,
        epochs: int | None = None,
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
        subwords: str | None = "3-6",
        buckets: int = 2_000_000,
        subword_hashes: int | None = None,
        min_count: int = 5,
        max_vocabulary: int | None = None,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "NFC",
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        super().__init__(**given)
