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
    """Recurrent sequence tagger: word, prefix, suffix and shape embeddings, RNN, GRU or LSTM layers in one or both
    directions, a softmax or CRF head.

    Samples are lists of tokens, targets lists of tags. :class:`seqclf.TaggerSettings` documents every parameter.

    Args:
        head: ``softmax`` or ``crf``; None takes ``crf`` for tags of spans (BIO, BIOES), else ``softmax``.
        invalid_tags: let a CRF predict invalid sequences of BIO-like tags, such as I-X after O.
        cell: ``rnn``, ``gru`` or ``lstm``.
        reset: a GRU's reset gate acts ``after`` the product with the weights, or ``before``.
        bidirectional: read every sentence in both directions.
        merge: how two directions are merged: ``concatenate``, ``sum``, ``average`` or ``multiply``.
        layers: stacked recurrent layers.
        hidden_size: units per direction.
        character_size: hidden units per direction of an LSTM over the characters of each word; 0 reads none.
        feature_size: dimensions of the feature embeddings.
        feature_min_count: rarer features are unknown.
        dropout: dropout probability of the inputs (by distinct token) and of the states.
        word_dropout: probability that a word is unknown in a training step.
        layer_dropout: dropout probability between layers.
        locked_dropout: between layers, drop the same units of a sentence in all its steps, or others in each.
        weight_drop: dropout probability of the recurrent weights.
        zoneout, zoneout_cell: zoneout probability of the hidden state, and of an LSTM's cell.
        batch_size: sentences per step.
        learning_rate: Adam's peak learning rate.
        warmup_steps: steps of linear warm-up to that peak.
        epochs: passes over the sentences; the epoch that is best on the validation sentences is kept.
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
        keep_vectors: pretrained vectors to keep for words that the training sentences lack.
        keep_ngrams: n-grams of the pretrained vectors to keep, of which words without a vector are composed.
        min_count: rarer words are unknown.
        validation_fraction: fraction of the sentences that chooses the epoch, if ``fit`` gets no ``validation_data``.
        lowercase: None takes the vectors' setting, or True without vectors.
        normalize: Unicode normalization of the text: NFC, NFKC or none.
        random_state: a seed or a generator; None draws a new seed for every fit.
        n_jobs: threads; None or -1 uses all cores. The result is the same at any number.

    Attributes:
        classes_: (C,) the tags, sorted; the order of the probabilities' columns.
        model_: the :class:`seqclf.TaggerModel`, which can be saved and predicts without scikit-learn.
        history_: one dict per epoch: training loss, validation accuracy and loss.

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
        head: str | None = None,
        *,
        cell: str = "lstm",
        reset: str = "after",
        bidirectional: bool = True,
        merge: str = "concatenate",
        layers: int = 1,
        hidden_size: int = 128,
        invalid_tags: bool = False,
        character_size: int = 0,
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
        validation_fraction: float = 0.1,
        lowercase: bool | None = None,
        normalize: str = "NFC",
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
        self.invalid_tags = invalid_tags
        self.character_size = character_size
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
        self.validation_fraction = validation_fraction
        self.lowercase = lowercase
        self.normalize = normalize
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
            y: a list of tags for each sentence, one per token.
            validation_data: sentences and tags that choose the best epoch.
            on_progress: called a few times a second.

        Raises:
            InputError: a parameter out of range, an invalid sentence, or not one tag per token.
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
        """Return a list of tags for each sentence."""
        check_is_fitted(self)
        return self.model_.predict(self._sentences(X)[0], threads=self._threads())

    def predict_proba(self, X: Iterable[Sequence[str]]) -> list[np.ndarray]:
        """Return for each sentence every tag's probability for every token (T, C), columns as ``classes_``."""
        check_is_fitted(self)
        return self.model_.predict_proba(self._sentences(X)[0], threads=self._threads())

    def score(self, X: Iterable[Sequence[str]], y: Iterable[Sequence[Any]]) -> float:
        """Return the token accuracy."""
        check_is_fitted(self)
        sentences, tags = check_tagged(*self._sentences(X, y))
        found = self.model_.predict(sentences, threads=self._threads())
        return accuracy([tag for row in tags for tag in row], [tag for row in found for tag in row])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def _sentences(self, X: Iterable[Sequence[str]], y: Any = None) -> tuple[Iterable[Sequence[str]], Any]:
        """Return X and y as ``train_tagger`` takes them; subclasses may override it to convert other input."""
        return X, y
