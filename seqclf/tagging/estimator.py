"""The tagger as a scikit-learn estimator, a thin layer over ``train_tagger``."""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from seqclf.estimator import SequenceEstimator
from seqclf.metrics import accuracy
from seqclf.tagging.model import TaggerModel
from seqclf.tagging.settings import TaggerSettings
from seqclf.tagging.train import check_tagged, train_tagger
from wordvec import InputError
from wordvec.system.progress import OnProgress

if TYPE_CHECKING:
    from wordvec import WordVectors


class SequenceTagger(SequenceEstimator):
    """Recurrent tagger: word vectors and learnt vectors of each token's beginning, ending and shape, RNN, GRU or LSTM
    layers in one or both directions, a softmax or a conditional random field for every token.

    It takes lists of tokens, and gives lists of tags. :class:`seqclf.TaggerSettings` explains every parameter.

    Args:
        head: ``softmax`` or ``crf``.
        cell: ``rnn``, ``gru`` or ``lstm``.
        reset: a GRU's reset gate acts ``after`` the product with the weights, or ``before``.
        bidirectional: read every sentence from both ends.
        merge: two directions become one state by ``concatenate``, ``sum``, ``average`` or ``multiply``.
        layers: recurrent layers.
        hidden_size: units in each direction.
        feature_size: width of the features' vectors.
        feature_min_count: rarer features are unknown.
        dropout: share dropped in training, of the inputs (by distinct token) and of the states.
        word_dropout: share of words that training makes unknown.
        layer_dropout: share of a layer's states that the next layer does not see in training.
        locked_dropout: there, drop the same units of a sentence in all its steps, or others in each.
        weight_drop: share of the recurrent weights dropped in a training step.
        zoneout, zoneout_cell: chance of a unit to keep its state, or an LSTM's cell, in a training step.
        batch_size: sentences a step.
        learning_rate: Adam's rate at its peak.
        warmup_steps: steps until that peak.
        epochs: passes over the sentences; the best on the development sentences is kept.
        patience: stop after so many epochs without a better one; None trains them all.
        clip_norm: the largest global norm of a gradient.
        vectors: pretrained word vectors: ``WordVectors``, the path of a file, or None for random ones.
        vector_size: width of random embeddings.
        vector_scale: the standard deviation pretrained vectors are scaled to; 0 keeps them as they are.
        tune_vectors: train the embeddings along; False freezes them.
        keep_vectors: pretrained vectors kept for words that training never saw.
        min_count: rarer words count as unknown.
        validation_fraction: share split off to choose the epoch by, where ``fit`` gets no ``validation_data``.
        lowercase: None does as the vectors did, or yes without vectors.
        random_state: a seed or a generator; None is different every time.
        n_jobs: threads; None or -1 takes the cores there are. The result is the same at any number.

    Attributes:
        classes_: (C,) the tags, sorted; the order of the probabilities' columns.
        model_: the :class:`seqclf.TaggerModel`, which saves to a file and predicts without scikit-learn.
        history_: a dict an epoch: loss, and accuracy and loss on the development sentences.

    Example:
        >>> sentences, tags = [["the", "cat"], ["a", "dog", "barks"]] * 6, [["D", "N"], ["D", "N", "V"]] * 6
        >>> tagger = SequenceTagger(hidden_size=16, batch_size=2, validation_fraction=0, random_state=1)
        >>> tagger.fit(sentences, tags).predict([["the", "dog"], []])
        [['D', 'N'], []]
        >>> tagger.score(sentences, tags)
        1.0
    """

    def __init__(
        self,
        head: str = "softmax",
        *,
        cell: str = "lstm",
        reset: str = "after",
        bidirectional: bool = True,
        merge: str = "concatenate",
        layers: int = 1,
        hidden_size: int = 128,
        feature_size: int = 64,
        feature_min_count: int = 2,
        dropout: float = 0.33,
        word_dropout: float = 0.1,
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
        validation_fraction: float = 0.1,
        lowercase: bool | None = None,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.head = head
        self.cell = cell
        self.reset = reset
        self.bidirectional = bidirectional
        self.merge = merge
        self.layers = layers
        self.hidden_size = hidden_size
        self.feature_size = feature_size
        self.feature_min_count = feature_min_count
        self.dropout = dropout
        self.word_dropout = word_dropout
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
        self.validation_fraction = validation_fraction
        self.lowercase = lowercase
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Iterable[Sequence[str]],
        y: Iterable[Sequence[Any]],
        *,
        validation_data: tuple[Iterable[Sequence[str]], Iterable[Sequence[Any]]] | None = None,
        on_progress: OnProgress | None = None,
    ) -> "SequenceTagger":
        """Train on sentences.

        Args:
            X: lists of tokens; a generator is read once.
            y: a list of tags for each, one for every token.
            validation_data: sentences and tags to choose the best epoch by.
            on_progress: called a few times a second.

        Raises:
            InputError: parameters outside their range, sentences that are none, tags that do not match.
        """
        if y is None:
            raise InputError("SequenceTagger requires y to be passed, but the target y is None")
        options = self._training(TaggerSettings)
        sentences, tags = self._sentences(X, y)
        self.model_: TaggerModel = train_tagger(
            sentences, tags, dev=validation_data, on_progress=on_progress, **options
        )
        self.classes_ = np.array(self.model_.labels)
        self.history_ = self.model_.history
        return self

    def predict(self, X: Iterable[Sequence[str]]) -> list[list[Any]]:
        """A list of tags for each sentence."""
        check_is_fitted(self)
        return self.model_.predict(self._sentences(X)[0], threads=self._threads())

    def predict_proba(self, X: Iterable[Sequence[str]]) -> list[np.ndarray]:
        """For each sentence (T, C): every tag's probability for every token, columns as ``classes_``."""
        check_is_fitted(self)
        return self.model_.predict_proba(self._sentences(X)[0], threads=self._threads())

    def score(self, X: Iterable[Sequence[str]], y: Iterable[Sequence[Any]]) -> float:
        """The share of tokens with the right tag."""
        check_is_fitted(self)
        sentences, tags = check_tagged(*self._sentences(X, y))
        found = self.model_.predict(sentences, threads=self._threads())
        return accuracy([tag for row in tags for tag in row], [tag for row in found for tag in row])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _sentences(self, X: Iterable[Sequence[str]], y: Any = None) -> tuple[Iterable[Sequence[str]], Any]:
        """Sentences and tags as ``train_tagger`` takes them; a place for a subclass to make them of something else."""
        return X, y
