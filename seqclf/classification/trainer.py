"""Training of a classifier's net: what a step learns is weighed by class, and the best epoch is the most accurate.

It knows a network, token ids and target classes; where they came from is not its business.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from seqclf.classification.network import Network
from seqclf.classification.settings import ClassifierSettings
from seqclf.layers.batch_prediction import predict_probabilities
from seqclf.layers.workers import Workers
from seqclf.training.loop import Outcome, Progress
from seqclf.training.pooled import Sequences, train_pooled


class Examples(NamedTuple):
    """Encoded texts and their classes."""

    ids: np.ndarray
    """(N,) int32 tokens of all texts."""
    offsets: np.ndarray
    """(S + 1,) int64: text s is ``ids[offsets[s]:offsets[s + 1]]``."""
    targets: np.ndarray
    """(S,) int32."""


def evaluate(network: Network, examples: Examples, weights: np.ndarray, workers: Workers) -> tuple[float, float]:
    """Accuracy, and the mean weighted loss in nats."""
    probabilities = predict_probabilities(network, examples.ids, examples.offsets, workers)
    hit = probabilities.argmax(axis=1) == examples.targets
    own = probabilities[np.arange(hit.size), examples.targets].astype(np.float64)
    return float(hit.mean()), float(-(weights[examples.targets] * np.log(np.maximum(own, 1.2e-38))).mean())


def train_network(
    network: Network,
    examples: Examples,
    *,
    settings: ClassifierSettings,
    weights: np.ndarray,
    tuned_rows: int,
    workers: Workers,
    dev: Examples | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Train a network in place and leave it with the parameters of the epoch that scored best on ``dev``.

    Args:
        network: fresh parameters.
        examples: what to learn.
        settings: see ``ClassifierSettings``.
        weights: (C,) the classes' weights.
        tuned_rows: the first so many rows of the embedding are trained.
        workers: threads; they do not change the result.
        dev: what to choose the epoch by, accuracy first, then loss; None keeps the last epoch.
        on_progress: called with a ``Progress``.

    Raises:
        TrainingError: the loss is no longer a number.
    """

    def on_dev() -> tuple[dict[str, Any], tuple[float, ...]]:
        assert dev is not None
        accuracy, loss = evaluate(network, dev, weights, workers)
        return {"dev_accuracy": accuracy, "dev_loss": loss}, (accuracy, -loss)

    return train_pooled(
        network, Sequences(examples.ids, examples.offsets), examples.targets, settings,
        weights=weights, tuned_rows=tuned_rows, workers=workers,
        evaluate=None if dev is None else on_dev, on_progress=on_progress,
    )  # fmt: skip
