"""Sequence-to-sequence models as scikit-learn estimators, thin layers over the training functions."""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from seqclf.estimator import SequenceEstimator
from seqclf.translation.data import as_lines, join_units, split_units
from seqclf.translation.model import TransducerModel
from seqclf.translation.settings import TransducerSettings, VectorTransducerSettings
from seqclf.translation.train import train_transducer
from seqclf.translation.train_vectors import train_vector_transducer
from seqclf.translation.vector_model import VectorTransducerModel
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.wording import counted

if TYPE_CHECKING:
    from wordvec import WordVectors


def _exact(found: Sequence[str], targets: Any, kind: str) -> float:
    truth, count = as_lines(targets, "targets"), len(found)
    if len(truth) != count:
        raise InputError(f"{counted(len(truth), 'target')} for {counted(count, 'source')}")
    if not count:
        raise InputError("a score needs at least one pair, got none")
    wanted = [join_units(split_units(target, kind), kind) for target in truth]
    return float(np.mean([text == target for text, target in zip(found, wanted, strict=True)]))


class SequenceToSequence(SequenceEstimator):
    """Encoder-decoder network with attention: a text for each text, such as its translation or pronunciation.

    Samples and targets are strings. :class:`seqclf.translation.settings.TransducerSettings` documents every parameter.

    Args:
        source_units, target_units: ``words``, ``characters``, or what ``spaces`` separate.
        cell, reset, layers, hidden_size: of encoder and decoder; H is that of one direction.
        bidirectional, merge: of the encoder, as in ``SequenceClassifier``.
        attention: ``general``, ``dot`` or ``additive``.
        input_feeding: the decoder also reads its attentional state of the step before.
        tied_embeddings: the target embeddings are also the weights of the softmax.
        label_smoothing: share of the target distribution that is uniform.
        scheduled_sampling: probability, in the last step, that the decoder reads its own prediction.
        dropout, layer_dropout, locked_dropout, weight_drop, zoneout, zoneout_cell: as in ``SequenceClassifier``.
        batch_size, epochs: pairs per step, passes over the pairs; None chooses both by the number of pairs.
        learning_rate, warmup_steps, patience, clip_norm, optimizer, schedule, freeze: as in ``SequenceClassifier``.
        choose_by: ``loss``, ``exact`` or ``edit``: what chooses the epoch on the validation pairs.
        vectors: pretrained vectors of the sources' units: ``WordVectors``, the path of a file, or None.
        vector_size, target_vector_size: dimensions of random embeddings.
        vector_scale, tune_vectors, keep_vectors, keep_ngrams: as in ``SequenceClassifier``.
        min_count, target_min_count: rarer units are unknown.
        validation_fraction: share of the pairs that chooses the epoch, if ``fit`` gets no ``validation_data``.
        lowercase, normalize: of the sources; targets stay as they are.
        beam: hypotheses that ``predict`` keeps; 1 is greedy decoding.
        length_penalty: exponent of the length that scores of hypotheses are divided by.
        random_state: a seed or a generator; None draws a new seed for every fit.
        n_jobs: threads; None or -1 uses all cores. The result is the same at any number.

    Attributes:
        model_: the :class:`seqclf.translation.model.TransducerModel`, which can be saved and predicts without
            scikit-learn.
        history_: one dict per epoch: training loss and validation results.
        attention_: after ``predict``, for each prediction the attention's weights (T, S).

    Example:
        >>> estimator = SequenceToSequence(
        ...     hidden_size=32, epochs=40, learning_rate=0.01, validation_fraction=0, random_state=1
        ... )
        >>> estimator.fit(["ab", "ba", "aab"], ["AB", "BA", "AAB"]).predict(["ba", "aab"])
        ['BA', 'AAB']
        >>> estimator.score(["ab", "ba"], ["AB", "AA"])
        0.5
    """

    def __init__(
        self,
        *,
        source_units: str = "characters",
        target_units: str = "characters",
        cell: str = "lstm",
        reset: str = "after",
        bidirectional: bool = True,
        merge: str = "concatenate",
        layers: int = 1,
        hidden_size: int = 256,
        attention: str = "general",
        input_feeding: bool = True,
        tied_embeddings: bool = False,
        label_smoothing: float = 0.1,
        scheduled_sampling: float = 0.0,
        dropout: float = 0.3,
        layer_dropout: float = 0.0,
        locked_dropout: bool = True,
        weight_drop: float = 0.0,
        zoneout: float = 0.0,
        zoneout_cell: float = 0.0,
        batch_size: int | None = None,
        learning_rate: float = 1e-3,
        warmup_steps: int = 50,
        epochs: int | None = None,
        patience: int | None = None,
        clip_norm: float = 5.0,
        optimizer: str = "adam",
        schedule: str = "linear",
        freeze: str | None = None,
        choose_by: str = "edit",
        vectors: "WordVectors | str | os.PathLike[str] | None" = None,
        vector_size: int = 128,
        target_vector_size: int = 128,
        vector_scale: float = 0.35,
        tune_vectors: bool = True,
        keep_vectors: int = 100_000,
        keep_ngrams: int = 100_000,
        min_count: int = 1,
        target_min_count: int = 1,
        validation_fraction: float = 0.1,
        lowercase: bool = False,
        normalize: str = "NFC",
        beam: int = 5,
        length_penalty: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.source_units = source_units
        self.target_units = target_units
        self.cell = cell
        self.reset = reset
        self.bidirectional = bidirectional
        self.merge = merge
        self.layers = layers
        self.hidden_size = hidden_size
        self.attention = attention
        self.input_feeding = input_feeding
        self.tied_embeddings = tied_embeddings
        self.label_smoothing = label_smoothing
        self.scheduled_sampling = scheduled_sampling
        self.dropout = dropout
        self.layer_dropout = layer_dropout
        self.locked_dropout = locked_dropout
        self.weight_drop = weight_drop
        self.zoneout = zoneout
        self.zoneout_cell = zoneout_cell
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.epochs = epochs
        self.patience = patience
        self.clip_norm = clip_norm
        self.optimizer = optimizer
        self.schedule = schedule
        self.freeze = freeze
        self.choose_by = choose_by
        self.vectors = vectors
        self.vector_size = vector_size
        self.target_vector_size = target_vector_size
        self.vector_scale = vector_scale
        self.tune_vectors = tune_vectors
        self.keep_vectors = keep_vectors
        self.keep_ngrams = keep_ngrams
        self.min_count = min_count
        self.target_min_count = target_min_count
        self.validation_fraction = validation_fraction
        self.lowercase = lowercase
        self.normalize = normalize
        self.beam = beam
        self.length_penalty = length_penalty
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Iterable[str],
        y: Iterable[str],
        features: Iterable[str] | None = None,
        *,
        validation_data: tuple[Iterable[str], ...] | None = None,
        on_progress: OnProgress | None = None,
    ) -> "SequenceToSequence":
        """Train on pairs of texts.

        Args:
            X: sources; a generator is read once. y: targets.
            features: for each source a string of features, separated by semicolons or spaces.
            validation_data: sources, targets and, with ``features``, features that choose the best epoch.
            on_progress: called a few times a second.

        Raises:
            InputError: a parameter out of range, an invalid text, or not one target per source.
        """
        if y is None:
            raise InputError("SequenceToSequence requires y to be passed, but the target y is None")
        options = self._training(TransducerSettings)
        self.model_: TransducerModel = train_transducer(
            X, y, features=features, dev=validation_data, on_progress=on_progress, **options
        )
        self.history_ = self.model_.history
        return self

    def predict(self, X: Iterable[str], features: Iterable[str] | None = None) -> list[str]:
        """Return the target of each source."""
        check_is_fitted(self)
        found = self.model_.predict(
            X, features=features, beam=self.beam, length_penalty=self.length_penalty, threads=self._threads()
        )
        self.attention_ = [each.attention for each in found]
        return [each.text for each in found]

    def score(self, X: Iterable[str], y: Iterable[str], features: Iterable[str] | None = None) -> float:
        """Return the share of predictions whose units are those of their target."""
        return _exact(self.predict(X, features), y, self.model_.settings.target_units)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


class SequenceFromVector(SequenceEstimator):
    """Decoder that generates a text from a vector, such as a word's letters from its embedding (one to many).

    Samples are rows of a matrix (n, D), targets strings.
    :class:`seqclf.translation.settings.VectorTransducerSettings` documents every parameter.

    Args:
        target_units: ``words``, ``characters``, or what ``spaces`` separate.
        cell, reset, layers, hidden_size, input_feeding: of the decoder, as in ``SequenceToSequence``.
        tied_embeddings, label_smoothing, scheduled_sampling: as in ``SequenceToSequence``.
        dropout, layer_dropout, locked_dropout, weight_drop, zoneout, zoneout_cell: as in ``SequenceToSequence``.
        batch_size, learning_rate, warmup_steps, epochs, patience, clip_norm: as in ``SequenceToSequence``.
        optimizer, schedule, freeze, choose_by: as in ``SequenceToSequence``.
        target_vector_size: dimensions of the embeddings of target units.
        target_min_count: rarer units are unknown.
        validation_fraction: share of the pairs that chooses the epoch, if ``fit`` gets no ``validation_data``.
        beam, length_penalty: of ``predict``, as in ``SequenceToSequence``.
        random_state: a seed or a generator; None draws a new seed for every fit.
        n_jobs: threads; None or -1 uses all cores. The result is the same at any number.

    Attributes:
        model_: the :class:`seqclf.translation.vector_model.VectorTransducerModel`, which can be saved and predicts
            without scikit-learn.
        history_: one dict per epoch: training loss and validation results.
        n_features_in_: D.

    Example:
        >>> estimator = SequenceFromVector(
        ...     hidden_size=32, epochs=60, learning_rate=0.01, validation_fraction=0, random_state=1
        ... )
        >>> estimator.fit([[0, 1], [1, 0], [1, 1]], ["ab", "b", "aab"]).predict([[1, 1], [1, 0]])
        ['aab', 'b']
    """

    def __init__(
        self,
        *,
        target_units: str = "characters",
        cell: str = "lstm",
        reset: str = "after",
        layers: int = 1,
        hidden_size: int = 256,
        input_feeding: bool = True,
        tied_embeddings: bool = False,
        label_smoothing: float = 0.1,
        scheduled_sampling: float = 0.0,
        dropout: float = 0.3,
        layer_dropout: float = 0.0,
        locked_dropout: bool = True,
        weight_drop: float = 0.0,
        zoneout: float = 0.0,
        zoneout_cell: float = 0.0,
        batch_size: int | None = None,
        learning_rate: float = 1e-3,
        warmup_steps: int = 50,
        epochs: int | None = None,
        patience: int | None = None,
        clip_norm: float = 5.0,
        optimizer: str = "adam",
        schedule: str = "linear",
        freeze: str | None = None,
        choose_by: str = "edit",
        target_vector_size: int = 128,
        target_min_count: int = 1,
        validation_fraction: float = 0.1,
        beam: int = 5,
        length_penalty: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.target_units = target_units
        self.cell = cell
        self.reset = reset
        self.layers = layers
        self.hidden_size = hidden_size
        self.input_feeding = input_feeding
        self.tied_embeddings = tied_embeddings
        self.label_smoothing = label_smoothing
        self.scheduled_sampling = scheduled_sampling
        self.dropout = dropout
        self.layer_dropout = layer_dropout
        self.locked_dropout = locked_dropout
        self.weight_drop = weight_drop
        self.zoneout = zoneout
        self.zoneout_cell = zoneout_cell
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.warmup_steps = warmup_steps
        self.epochs = epochs
        self.patience = patience
        self.clip_norm = clip_norm
        self.optimizer = optimizer
        self.schedule = schedule
        self.freeze = freeze
        self.choose_by = choose_by
        self.target_vector_size = target_vector_size
        self.target_min_count = target_min_count
        self.validation_fraction = validation_fraction
        self.beam = beam
        self.length_penalty = length_penalty
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: ArrayLike,
        y: Iterable[str],
        *,
        validation_data: tuple[ArrayLike, Iterable[str]] | None = None,
        on_progress: OnProgress | None = None,
    ) -> "SequenceFromVector":
        """Train on pairs of a vector and a text.

        Args:
            X: (n, D) finite numbers, dense or sparse, such as TF-IDF; a sparse matrix becomes dense. y: n texts.
            validation_data: vectors and texts that choose the best epoch.
            on_progress: called a few times a second.

        Raises:
            InputError: a parameter out of range, an invalid vector or text, or not one text per vector.
        """
        if y is None:
            raise InputError("SequenceFromVector requires y to be passed, but the target y is None")
        options = self._training(VectorTransducerSettings)
        self.model_: VectorTransducerModel = train_vector_transducer(
            X, y, dev=validation_data, on_progress=on_progress, **options
        )
        self.n_features_in_ = self.model_.scaling.shape[1]
        self.history_ = self.model_.history
        return self

    def predict(self, X: ArrayLike) -> list[str]:
        """Return the text of each vector."""
        check_is_fitted(self)
        found = self.model_.predict(X, beam=self.beam, length_penalty=self.length_penalty, threads=self._threads())
        return [each.text for each in found]

    def score(self, X: ArrayLike, y: Iterable[str]) -> float:
        """Return the share of predictions whose units are those of their target."""
        return _exact(self.predict(X), y, self.model_.settings.target_units)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = tags.input_tags.sparse = True
        tags.input_tags.string = False
        tags.target_tags.required = True
        return tags
