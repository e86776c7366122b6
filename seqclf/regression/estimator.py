"""The regressor as a scikit-learn estimator, a thin layer over ``train_regressor``."""

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from seqclf.estimator import SequenceEstimator
from seqclf.regression.model import RegressionScore, RegressorModel
from seqclf.regression.settings import RegressorSettings
from seqclf.regression.train import train_regressor
from wordvec import InputError
from wordvec.system.progress import OnProgress

if TYPE_CHECKING:
    from wordvec import WordVectors


class SequenceRegressor(RegressorMixin, SequenceEstimator):  # type: ignore[misc]
    """Recurrent regressor: embedding or numeric input, RNN, GRU or LSTM layers, pooling, squared error.

    :class:`seqclf.RegressorSettings` explains every parameter.

    Args:
        cell, reset, bidirectional, merge, layers, hidden_size, pooling: the network, as in ``SequenceClassifier``.
        dropout, layer_dropout, locked_dropout, weight_drop, zoneout, zoneout_cell: as in ``SequenceClassifier``.
        batch_size, learning_rate, warmup_steps, epochs, patience, clip_norm, optimizer, schedule: as in
            ``SequenceClassifier``.
        freeze, validation_fraction: as in ``SequenceClassifier``.
        vectors, vector_size, vector_scale, tune_vectors, keep_vectors, keep_ngrams: as in ``SequenceClassifier``. For
            sequences of numbers ``vectors`` must be None, and the others have no effect.
        min_count, tokenizer, lowercase, normalize: likewise.
        random_state: a seed or a generator; None is different every time.
        n_jobs: threads; None or -1 uses all cores. The result is the same at any number.

    Attributes:
        model_: the :class:`seqclf.RegressorModel`, which can be saved and predicts without scikit-learn.
        history_: one dict per epoch: training loss, and the validation errors of the model and of the mean.

    Example:
        >>> texts = ["good", "very good", "bad", "very bad"] * 10
        >>> stars = [4, 5, 2, 1] * 10
        >>> regressor = SequenceRegressor(hidden_size=8, learning_rate=0.02, validation_fraction=0, random_state=1)
        >>> regressor.fit(texts, stars).score(texts, stars) > 0.7
        True
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
        tokenizer: str | None = None,
        lowercase: bool | None = None,
        normalize: str = "NFC",
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
        self.validation_fraction = validation_fraction
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(
        self,
        X: Iterable[Any],
        y: Any,
        *,
        validation_data: tuple[Iterable[Any], Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> "SequenceRegressor":
        """Train.

        Args:
            X: strings, lists of tokens, or arrays of numbers (T,) or (T, E); a generator is read once.
            y: (N,) or (N, C) numbers.
            validation_data: sequences and values that choose the best epoch.
            on_progress: called a few times a second.

        Raises:
            InputError: a parameter out of range, sequences of several kinds, or not one value per sequence.
        """
        if y is None:
            raise InputError("SequenceRegressor requires y to be passed, but the target y is None")
        y = list(y) if isinstance(y, Iterator) else y
        self.model_: RegressorModel = train_regressor(
            X, y, dev=validation_data, on_progress=on_progress, **self._training(RegressorSettings)
        )
        self.history_ = self.model_.history
        self._flat = np.asarray(y).ndim == 1
        return self

    def predict(self, X: Iterable[Any]) -> np.ndarray:
        """Return the values (N,), or (N, C) as in training."""
        check_is_fitted(self)
        values = self.model_.predict(X, threads=self._threads())
        return values[:, 0] if self._flat else values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def report(self, X: Iterable[Any], y: Any) -> RegressionScore:
        """Return RMSE, MAE and R², and the errors of always predicting the mean of the training values."""
        check_is_fitted(self)
        return self.model_.score(X, y, threads=self._threads())
