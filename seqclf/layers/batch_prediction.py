"""Predictions for many sequences: batches by length, shared among threads."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np

from seqclf.classification.network import Network
from seqclf.layers.batches import pack, pack_alone, prediction_batches
from seqclf.layers.parameters import Workspace
from seqclf.layers.workers import Workers


def predict_probabilities(network: Network, ids: np.ndarray, offsets: np.ndarray, workers: Workers) -> np.ndarray:
    """Probabilities (S, C), in the net's dtype, of the sequences ``ids[offsets[s]:offsets[s + 1]]``, in their order.

    Neither the number of threads nor what else is asked for changes a row.
    """
    if offsets.size == 2:
        with network.spare_workspace() as workspace:
            return network.predict(pack_alone(ids[offsets[0] : offsets[1]]), workspace)
    probabilities = np.empty((offsets.size - 1, network.shape.classes), dtype=network.dtype)

    def predict(members: np.ndarray, workspace: Workspace) -> None:
        batch = pack(ids, offsets, members)
        probabilities[members[batch.order]] = network.predict(batch, workspace)

    for_batches(predict, np.diff(offsets), workers, network.spare_workspace)
    return probabilities


def for_batches(
    predict: Callable[[np.ndarray, Workspace], None],
    lengths: np.ndarray,
    workers: Workers,
    spare: Callable[[], AbstractContextManager[Workspace]],
) -> None:
    """Call ``predict(members, workspace)`` for batches of all sequences of ``lengths`` (S,), threads side by side.

    Each thread's workspace is what ``spare()`` lends it.
    """
    batches = list(prediction_batches(lengths))

    def run(share: Sequence[np.ndarray]) -> None:
        with spare() as workspace:
            for members in share:
                predict(members, workspace)

    workers.map(run, [batches[start :: workers.threads] for start in range(min(workers.threads, len(batches)))])
