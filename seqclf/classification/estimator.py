"""The text classifier as a scikit-learn estimator, a thin layer over ``train_classifier``."""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from seqclf.classification.model import ClassifierModel
from seqclf.classification.settings import ClassifierSettings
from seqclf.classification.train import train_classifier
from seqclf.data.texts import Text
from seqclf.estimator import SequenceEstimator
from wordvec import InputError
from wordvec.system.progress import OnProgress

if TYPE_CHECKING:
    from wordvec import WordVectors


class SequenceClassifier(ClassifierMixin, SequenceEstimator):
    """Recurrent text classifier: embedding, RNN, GRU or LSTM layers in one or both directions, pooling, softmax.

    It takes texts, or lists of tokens, not arrays of numbers. The defaults are the recipe that measured best with
    pretrained vectors; :class:`seqclf.ClassifierSettings` explains every parameter.

    Args:
        cell: ``rnn``, ``gru`` or ``lstm``.
        reset: a GRU's reset gate acts ``after`` the product with the weights, or ``before``.
        bidirectional: read every text from both ends.
        merge: two directions become one state by ``concatenate``, ``sum``, ``average`` or ``multiply``.
        layers: recurrent layers.
        hidden_size: units in each direction.
        pooling: ``max``, ``mean``, ``last`` or ``attention``.
        dropout: share dropped in training, of the embeddings (by word type) and of the pooled state.
        layer_dropout: share of a layer's states that the next layer does not see in training.
        locked_dropout: drop the same units of a text in all its steps, or others in each.
        weight_drop: share of the recurrent weights dropped in a training step.
        zoneout: chance of a unit to keep its state in a step of training.
        zoneout_cell: the same for an LSTM's cell.
        batch_size: texts a step.
        learning_rate: Adam's rate at its peak.
        warmup_steps: steps until that peak.
        epochs: passes over the texts; the best on the development texts is kept.
        patience: stop after so many epochs without a better one; None trains them all.
        clip_norm: the largest global norm of a gradient.
        vectors: pretrained word vectors: ``WordVectors``, the path of a file, or None for random ones.
        vector_size: width of random embeddings.
        vector_scale: the standard deviation pretrained vectors are scaled to; 0 keeps them as they are.
        tune_vectors: train the embeddings along; False freezes them.
        keep_vectors: pretrained vectors kept for words that training never saw.
        min_count: rarer words count as unknown.
        class_weight: None, ``balanced``, or a number for each label.
        validation_fraction: share split off to choose the epoch by, where ``fit`` gets no ``validation_data``.
        tokenizer: a name in ``corpora.TOKENIZERS``; None takes the vectors' own, or ``words``.
        lowercase: None does as the vectors did, or yes without vectors.
        random_state: a seed or a generator; None is different every time.
        n_jobs: threads; None or -1 takes the cores there are. The result is the same at any number.

    Attributes:
        classes_: (C,) the labels, sorted; the order of the probabilities' columns.
        model_: the :class:`seqclf.ClassifierModel`, which saves to a file and predicts without scikit-learn.
        history_: a dict an epoch: loss, and accuracy and loss on the development texts.

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
        epochs: int = 10,
        patience: int | None = None,
        clip_norm: float = 5.0,
        vectors: "WordVectors | str | os.PathLike[str] | None" = None,
        vector_size: int = 100,
        vector_scale: float = 0.35,
        tune_vectors: bool = True,
        keep_vectors: int = 100_000,
        min_count: int = 1,
        class_weight: str | Mapping[Any, float] | None = None,
        validation_fraction: float = 0.1,
        tokenizer: str | None = None,
        lowercase: bool | None = None,
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
        self.vectors = vectors
        self.vector_size = vector_size
        self.vector_scale = vector_scale
        self.tune_vectors = tune_vectors
        self.keep_vectors = keep_vectors
        self.min_count = min_count
        self.class_weight = class_weight
        self.validation_fraction = validation_fraction
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Iterable[Text],
        y: Iterable[Any],
        *,
        validation_data: tuple[Iterable[Text], Iterable[Any]] | None = None,
        on_progress: OnProgress | None = None,
    ) -> "SequenceClassifier":
        """Train on texts.

        Args:
            X: strings or lists of tokens; a generator is read once.
            y: a label for each.
            validation_data: texts and labels to choose the best epoch by.
            on_progress: called a few times a second.

        Raises:
            InputError: parameters outside their range, texts that are none, labels that do not match.
        """
        if y is None:
            raise InputError("SequenceClassifier requires y to be passed, but the target y is None")
        labels = _one_label_each(y)
        self.model_: ClassifierModel = train_classifier(
            self._texts(X), labels, dev=validation_data, on_progress=on_progress, **self._training(ClassifierSettings)
        )
        self.classes_ = np.unique(labels)
        self.history_ = self.model_.history
        return self

    def predict_proba(self, X: Iterable[Text]) -> np.ndarray:
        """Every label's probability (N, C) float32, columns as ``classes_``."""
        check_is_fitted(self)
        return self.model_.predict_proba(self._texts(X), threads=self._threads())

    def predict(self, X: Iterable[Text]) -> np.ndarray:
        """The most probable label of every text (N,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _texts(self, X: Iterable[Text]) -> Iterable[Text]:
        """The texts as ``tokenize_texts`` takes them; a place for a subclass to turn something else into texts."""
        return X


def _one_label_each(y: Iterable[Any]) -> np.ndarray:
    """The labels (N,) as an array."""
    labels = np.asarray(list(y) if isinstance(y, Iterator) else y)
    if labels.ndim != 1 and labels.shape[1:] != (1,):
        raise InputError(f"labels must be one for each text, got an array of shape {labels.shape}")
    labels = column_or_1d(labels, warn=True)
    if labels.size:
        check_classification_targets(labels)
    return labels
