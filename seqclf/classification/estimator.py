"""The text classifier as a scikit-learn estimator, a thin layer over ``train_classifier``."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from seqclf.classification.model import ClassifierModel
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train import train_classifier
from seqclf.classification.train_vectors import train_vector_classifier
from seqclf.classification.vector_model import VectorClassifierModel
from seqclf.data.labels import as_labels
from seqclf.data.steps import are_vectors
from seqclf.data.texts import Text
from seqclf.estimator import SequenceEstimator
from wordvec import InputError
from wordvec.system.progress import OnProgress
from wordvec.system.validation import check_flag

if TYPE_CHECKING:
    from wordvec import WordVectors


class SequenceClassifier(ClassifierMixin, SequenceEstimator):  # type: ignore[misc]
    """Recurrent text classifier: embedding, RNN, GRU or LSTM layers in one or both directions, pooling, softmax.

    Samples are texts, lists of tokens, or sequences of numbers (T,) or vectors (T, E) of any lengths. The defaults are
    those that performed best with pretrained vectors; :class:`seqclf.ClassifierSettings` documents every parameter.

    Args:
        cell: ``rnn``, ``gru`` or ``lstm``.
        reset: a GRU's reset gate acts ``after`` the product with the weights, or ``before``.
        bidirectional: read every text in both directions.
        merge: how two directions are merged: ``concatenate``, ``sum``, ``average`` or ``multiply``.
        layers: stacked recurrent layers.
        hidden_size: units per direction.
        pooling: ``max``, ``mean``, ``last`` or ``attention``.
        dropout: dropout probability of the embeddings (by word type) and of the pooled state.
        layer_dropout: dropout probability between layers.
        locked_dropout: between layers, drop the same units of a text in all its steps, or others in each.
        weight_drop: dropout probability of the recurrent weights.
        zoneout: zoneout probability of the hidden state.
        zoneout_cell: zoneout probability of an LSTM's cell.
        batch_size: texts per step.
        learning_rate: Adam's peak learning rate.
        warmup_steps: steps of linear warm-up to that peak.
        epochs: passes over the texts; the epoch that is best on the validation texts is kept. None: 10, or fewer if
            they would read more than 20 million words or steps.
        patience: stop after this many epochs without improvement; None trains all epochs.
        clip_norm: the largest global norm of a gradient.
        optimizer: ``adam``, or ``sgd``, which needs a much higher learning rate.
        schedule: after the warm-up the learning rate falls to 0 (``linear``, ``cosine``), stays (``constant``), or is
            divided by 4 after an epoch without improvement (``plateau``).
        freeze: parameters that keep their values: names that ``summarize`` lists, or their beginnings, such as
            ``"layers.0"``, separated by commas.
        vectors: pretrained word vectors: ``WordVectors``, the path of a file, or None for random initialization.
        vector_size: dimensions of random embeddings.
        vector_scale: the standard deviation that pretrained vectors are scaled to; 0 does not scale them.
        tune_vectors: train the embeddings; False freezes them.
        keep_vectors: pretrained vectors to keep for words that the training texts lack.
        keep_ngrams: n-grams of the pretrained vectors to keep, of which words without a vector are composed.
        min_count: rarer words are unknown.
        character_size: hidden units per direction of an LSTM over the characters of each word; 0 reads none.
        class_weight: None, ``balanced``, or a number for each label.
        model: ``network``, ``linear`` (logistic regression on n-grams), ``blend`` of both, or ``auto``: the best of
            these on the validation texts.
        calibration: how the validation texts calibrate the probabilities: ``none``, ``temperature``, ``vector`` (a
            scale and bias for each label) or ``isotonic``; None: ``none`` with ``network``, else ``temperature``.
        validation_fraction: fraction of the texts that chooses the epoch, if ``fit`` gets no ``validation_data``.
        tokenizer: a name in ``corpora.TOKENIZERS``; None takes the vectors' tokenizer, or ``words``.
        lowercase: None takes the vectors' setting, or True without vectors.
        normalize: Unicode normalization of the text: NFC, NFKC or none.
        warm_start: ``fit`` continues the training of the fitted network, whose words, labels and sizes it keeps.
        random_state: a seed or a generator; None draws a new seed for every fit.
        n_jobs: threads; None or -1 uses all cores. The result is the same at any number.

    Attributes:
        classes_: (C,) the labels, sorted; the order of the probabilities' columns.
        model_: the :class:`seqclf.ClassifierModel`, which can be saved and predicts without scikit-learn.
        history_: one dict per epoch: training loss, validation accuracy and loss.

    Example:
        >>> texts = ["fire in the hills", "lovely warm evening", "the river floods"] * 4
        >>> labels = ["alarm", "calm", "alarm"] * 4
        >>> classifier = SequenceClassifier(hidden_size=8, epochs=8, validation_fraction=0, random_state=1)
        >>> classifier.fit(texts, labels).score(texts, labels)
        1.0
    """

    def __init__(
        self,
        cell: str = "lstm",
        *,
        reset: str = "after",
        bidirectional: bool = True,
        merge: str = "concatenate",
        layers: int = 1,
        hidden_size: int = 128,
        pooling: str = "max",
        dropout: float = 0.5,
        layer_dropout: float = 0.0,
        locked_dropout: bool = True,
        weight_drop: float = 0.0,
        zoneout: float = 0.0,
        zoneout_cell: float = 0.0,
        batch_size: int = 16,
        learning_rate: float = 2e-3,
        warmup_steps: int = 50,
        epochs: int | None = None,
        patience: int | None = None,
        clip_norm: float = 5.0,
        optimizer: str = "adam",
        schedule: str = "linear",
        freeze: str | None = None,
        vectors: "WordVectors | str | os.PathLike[str] | None" = None,
        vector_size: int = 100,
        vector_scale: float = 0.35,
        tune_vectors: bool = True,
        keep_vectors: int = 100_000,
        keep_ngrams: int = 100_000,
        min_count: int = 1,
        character_size: int = 0,
        class_weight: str | Mapping[Any, float] | None = None,
        model: str = "network",
        calibration: str | None = None,
        validation_fraction: float = 0.1,
        tokenizer: str | None = None,
        lowercase: bool | None = None,
        normalize: str = "NFC",
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.cell = cell
        self.reset = reset
        self.bidirectional = bidirectional
        self.merge = merge
        self.layers = layers
        self.hidden_size = hidden_size
        self.pooling = pooling
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
        self.vectors = vectors
        self.vector_size = vector_size
        self.vector_scale = vector_scale
        self.tune_vectors = tune_vectors
        self.keep_vectors = keep_vectors
        self.keep_ngrams = keep_ngrams
        self.min_count = min_count
        self.character_size = character_size
        self.class_weight = class_weight
        self.model = model
        self.calibration = calibration
        self.validation_fraction = validation_fraction
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Iterable[Text],
        y: Iterable[Any],
        sample_weight: ArrayLike | None = None,
        *,
        validation_data: tuple[Iterable[Text], Iterable[Any]] | None = None,
        on_progress: OnProgress | None = None,
    ) -> "SequenceClassifier":
        """Train on texts, or on sequences of vectors.

        Args:
            X: strings or lists of tokens, or arrays of numbers (T,) or of vectors (T, E), as a list or an
                array (N, T, E); a generator is read once.
            y: one label per text or sequence.
            sample_weight: (N,) weights of the texts or sequences in the loss; None weighs all equally.
            validation_data: texts or sequences, and labels that choose the best epoch.
            on_progress: called a few times a second.

        Raises:
            InputError: a parameter out of range, an invalid text, or not one label per text.
        """
        if y is None:
            raise InputError("SequenceClassifier requires y to be passed, but the target y is None")
        labels = _one_label_each(y)
        given: Any = list(X) if isinstance(X, Iterator) else X
        options: dict[str, Any] = {"dev": validation_data, "sample_weight": sample_weight, "on_progress": on_progress}
        options |= self._training(ClassifierSettings)
        initial = getattr(self, "model_", None) if check_flag("warm_start", self.warm_start) else None
        self.model_: ClassifierModel | VectorClassifierModel
        if initial is not None:
            options |= {"initial": initial, "vectors": None}
            self.model_ = train_classifier(self._texts(given), labels, **options)
            self.history_ = self.model_.history
            return self
        if are_vectors(given):
            if options.pop("vectors") is not None:
                raise InputError("vectors are for texts, but the sequences hold numbers; leave vectors out")
            self.model_ = train_vector_classifier(given, labels, **options)
        else:
            self.model_ = train_classifier(self._texts(given), labels, **options)
        self.classes_ = np.unique(labels)
        self.history_ = self.model_.history
        return self

    def partial_fit(
        self,
        X: Iterable[Text],
        y: Iterable[Any],
        classes: Iterable[Any] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> "SequenceClassifier":
        """Train the network on more texts, in one pass without validation.

        The first call, unless ``fit`` came before, determines the words and the labels; later ones continue from the
        network as it is, with a new learning-rate schedule.

        Args:
            X: strings or lists of tokens. y: one label per text.
            classes: all labels; needed if the first texts lack some, and ignored later.
            sample_weight: (N,) weights of the texts in the loss.

        Raises:
            InputError: as for ``fit``, a label that the model lacks, or a model that has a linear part.
        """
        labels = _one_label_each(y)
        given = self._training(ClassifierSettings)
        settings = replace(given.pop("settings"), epochs=1, validation_fraction=0, patience=None)
        initial = getattr(self, "model_", None)
        if initial is None:
            self.classes_ = np.unique(labels if classes is None else _one_label_each(classes))
            given |= {"classes": self.classes_}
        else:
            given |= {"initial": initial, "vectors": None}
        self.model_ = train_classifier(self._texts(X), labels, sample_weight=sample_weight, settings=settings, **given)
        self.history_ = self.model_.history
        return self

    def predict_proba(self, X: Iterable[Text]) -> np.ndarray:
        """Return every label's probability (N, C) float32, columns as ``classes_``."""
        check_is_fitted(self)
        return self.model_.predict_proba(self._texts(X), threads=self._threads())

    def decision_function(self, X: Iterable[Text]) -> np.ndarray:
        """Return log-probabilities (N, C) float64; of two labels, the log-odds (N,) of the second."""
        logs = np.log(np.maximum(self.predict_proba(X), 1.2e-38), dtype=np.float64)
        return np.asarray(logs[:, 1] - logs[:, 0] if logs.shape[1] == 2 else logs)

    def predict(self, X: Iterable[Text]) -> np.ndarray:
        """Return the most probable label of every text (N,)."""
        check_is_fitted(self)
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def _texts(self, X: Iterable[Text]) -> Iterable[Text]:
        """Return the texts as ``tokenize_texts`` takes them; subclasses may override it to convert other input."""
        return X


def _one_label_each(y: Iterable[Any]) -> np.ndarray:
    """Return the labels as an array (N,)."""
    y = list(y) if isinstance(y, Iterator) else y
    labels = np.asarray(y)
    if labels.ndim != 1 and labels.shape[1:] != (1,):
        raise InputError(f"labels must have shape (N,), one for each text, got {labels.shape}")
    # Before they are an array: there NaN among strings is the string 'nan', and 1 is '1'.
    as_labels(y if isinstance(y, Iterable) else labels)
    labels = column_or_1d(labels, warn=True)
    if labels.size:
        check_classification_targets(labels)
    return np.asarray(labels)
