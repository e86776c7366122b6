"""Count-based word vector models behind one interface: their settings and training."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from wordvec.count_based.association import settings_of
from wordvec.count_based.cooccurrence import CooccurrenceCounts, count_cooccurrences
from wordvec.count_based.glove import train_glove
from wordvec.count_based.settings import CooccurrenceSettings, GloveSettings, SvdSettings
from wordvec.count_based.sparse_models import weighted_vectors
from wordvec.count_based.svd import train_svd
from wordvec.encoding.contexts import check_contexts
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.validation import check_choice, check_kind
from wordvec.vectors.dense import WordVectors

COUNT_BASED_MODELS = ("cooccurrence", "ppmi", "svd", "glove")
"""Raw (or weighted) counts, PPMI, truncated SVD of PPMI, and GloVe. The first two are sparse."""

# Default counting settings. GloVe's are its authors'; the others are the expected windows of CBOW and skip-gram, which
# draw a radius of 1 to 5 words for each center.
_COUNTING: dict[str, dict[str, Any]] = {
    "cooccurrence": {"window": 5, "window_weights": "dynamic"},
    "ppmi": {"window": 5, "window_weights": "dynamic"},
    "svd": {"window": 5, "window_weights": "dynamic"},
    "glove": {"window": 15, "window_weights": "harmonic"},
}

_WEIGHTING = ("weighting", "smoothing", "shift")


@dataclass(frozen=True)
class CountBasedSettings:
    """Settings of a count-based model; made by :func:`wordvec.count_based.models.count_based_settings`.

    Attributes:
        model: one of ``COUNT_BASED_MODELS``.
        counting: how co-occurrences are counted.
        weighing: for sparse models, the arguments of ``association_matrix``.
        training: for dense models, their settings.
    """

    model: str
    counting: CooccurrenceSettings
    weighing: Mapping[str, Any] | None = None
    training: SvdSettings | GloveSettings | None = None

    @property
    def is_sparse(self) -> bool:
        """Whether the vectors are ``SparseWordVectors``."""
        return self.training is None

    @property
    def vector_size(self) -> int:
        """D of a dense model."""
        if self.training is None:
            raise InputError(f"{self.model} makes sparse vectors, whose size is that of the vocabulary")
        return self.training.vector_size

    def file_record(self) -> dict[str, Any]:
        """Return all settings by name, as stored in vector files."""
        chosen = self.weighing if self.training is None else self.training.record()
        return self.counting.file_record(self.model, chosen or {})


@dataclass
class CountBasedResult:
    """Vectors, settings and statistics: raw tokens, distinct pairs, seconds, GloVe's losses per epoch."""

    vectors: WordVectors
    settings: CountBasedSettings
    raw_tokens: int
    pairs: int
    seconds: float
    losses: list[float]

    def summary(self) -> dict[str, Any]:
        """Return all fields except the vectors as JSON-serializable values."""
        return {
            "settings": self.settings.file_record(),
            "types": len(self.vectors),
            "raw_tokens": self.raw_tokens,
            "pairs": self.pairs,
            "seconds": self.seconds,
            "losses": self.losses,
        }


def count_based_options(model: str) -> set[str]:
    """Return the names of a model's settings.

    Raises:
        InputError: an unknown model.

    Example:
        >>> sorted(count_based_options("ppmi") - count_based_options("cooccurrence"))
        []
        >>> sorted(count_based_options("svd") - count_based_options("ppmi"))
        ['add_contexts', 'exponent', 'iterations', 'oversampling', 'vector_size']
    """
    check_choice("model", model, COUNT_BASED_MODELS)
    counting = _names(CooccurrenceSettings)
    if model == "glove":
        return counting | _names(GloveSettings)
    if model == "svd":
        return counting | _names(SvdSettings)
    return counting | set(_WEIGHTING)


def _names(kind: type) -> set[str]:
    return {field.name for field in fields(kind)}


def _settings(kind: type, given: Mapping[str, Any]) -> Any:
    return kind(**{name: given[name] for name in _names(kind) & set(given)})


def count_based_settings(model: str = "svd", **given: Any) -> CountBasedSettings:
    """Return the settings of a model: the given ones, with defaults recommended in the literature.

    Args:
        model: one of ``COUNT_BASED_MODELS``.
        given: settings by name, see :func:`count_based_options`: of ``CooccurrenceSettings``, and of
            ``SvdSettings``, ``GloveSettings`` or ``association_matrix``.

    Raises:
        InputError: an unknown model, or a setting that it does not have or that is out of range.

    Example:
        >>> count_based_settings("glove").counting.window, count_based_settings("svd").training.exponent
        (15, 0.5)
        >>> count_based_settings("svd", negatives=5)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: negatives is not a valid setting for svd
    """
    known = count_based_options(model)
    for name in given:
        if name not in known:
            raise InputError(f"{name} is not a valid setting for {model}")
    given = _COUNTING[model] | given
    counting = _settings(CooccurrenceSettings, given)
    if model in ("svd", "glove"):
        training: SvdSettings | GloveSettings = _settings(SvdSettings if model == "svd" else GloveSettings, given)
        if isinstance(training, SvdSettings):
            settings_of(training.weighting, training.smoothing, training.shift)
        return CountBasedSettings(model, counting, training=training)
    weighing: dict[str, Any] = {"weighting": "ppmi" if model == "ppmi" else "count"}
    weighing |= {name: given[name] for name in _WEIGHTING if name in given}
    return CountBasedSettings(model, counting, weighing=settings_of(**weighing))


def train_count_based(
    corpus: EncodedCorpus,
    settings: CountBasedSettings | None = None,
    *,
    threads: int | None = None,
    memory: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> CountBasedResult:
    """Train a count-based model on a corpus, bit-identical at any number of threads.

    Args:
        corpus: from ``encode_corpus``.
        settings: from :func:`wordvec.count_based.models.count_based_settings`; None means the defaults of ``svd``.
        threads: None means one per core.
        memory: working memory for counting in bytes, see ``count_cooccurrences``.
        on_progress: called a few times a second, while counting and while GloVe trains.
        checkpoint, checkpoint_every, resume: GloVe only, see ``train_glove``; on resuming, co-occurrences are counted
            again.

    Raises:
        InputError: no two words are in the same sentence.
        InputError, TrainingError: see ``count_cooccurrences``, ``train_svd`` and ``train_glove``.

    Example:
        >>> from wordvec import encode_corpus
        >>> corpus = encode_corpus(["the cat sat", "the dog sat", "a cow ran", "a pig ran"] * 9)
        >>> found = train_count_based(corpus, count_based_settings("ppmi"))
        >>> [token for token, score in found.vectors.most_similar("cat", top=1)]
        ['dog']
    """
    settings = count_based_settings() if settings is None else check_kind("settings", settings, CountBasedSettings)
    check_contexts(check_kind("corpus", corpus, EncodedCorpus, "pass encode_corpus(texts)"))
    started = time.perf_counter()
    counted = count_cooccurrences(corpus, settings.counting, threads=threads, memory=memory, on_progress=on_progress)
    result = train_on_counts(
        counted, settings, raw_tokens=corpus.raw_tokens, threads=threads, on_progress=on_progress,
        checkpoint=checkpoint, checkpoint_every=checkpoint_every, resume=resume,
    )  # fmt: skip
    result.seconds = time.perf_counter() - started
    return result


def train_on_counts(
    counted: CooccurrenceCounts,
    settings: CountBasedSettings,
    *,
    raw_tokens: int,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: float = 300.0,
    resume: bool = False,
) -> CountBasedResult:
    """Train a count-based model on co-occurrence counts, as ``train_count_based`` does.

    Args:
        counted: with the counting settings of ``settings``.
        raw_tokens: of the text.
        settings, threads, on_progress, checkpoint, checkpoint_every, resume: as of ``train_count_based``.

    Raises:
        InputError: there are no counts.
        InputError, TrainingError: see ``train_glove`` and ``train_svd``.

    Example:
        >>> from wordvec import count_cooccurrences, encode_corpus
        >>> settings = count_based_settings("ppmi")
        >>> counted = count_cooccurrences(encode_corpus(["the cat sat", "the dog sat"] * 9), settings.counting)
        >>> train_on_counts(counted, settings, raw_tokens=54).vectors.tokens
        ['sat', 'the', 'cat', 'dog']
    """
    started = time.perf_counter()
    if not counted.counts.nnz:
        raise InputError(
            f"subsample = {settings.counting.subsample:g} left no two words within a window; raise it, or set it to 0"
        )
    losses: list[float] = []
    if isinstance(settings.training, GloveSettings):
        result = train_glove(
            counted, settings.training, threads=threads, on_progress=on_progress, checkpoint=checkpoint,
            checkpoint_every=checkpoint_every, resume=resume,
        )  # fmt: skip
        vectors, losses = result.vectors, result.losses
    elif isinstance(settings.training, SvdSettings):
        vectors = train_svd(counted, settings.training, threads=threads).vectors
    else:
        vectors = _weighted(counted, settings)
    seconds = time.perf_counter() - started
    return CountBasedResult(vectors, settings, raw_tokens, int(counted.counts.nnz), seconds, losses)


def _weighted(counted: CooccurrenceCounts, settings: CountBasedSettings) -> WordVectors:
    vectors = weighted_vectors(counted, **(settings.weighing or {}))
    vectors.settings["model"] = settings.model
    return vectors
