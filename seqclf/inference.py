"""Class probabilities for many texts: batches by length, shared among threads."""

from collections.abc import Sequence

import numpy as np

from seqclf.batches import pack, prediction_batches
from seqclf.network import Network
from seqclf.workers import Workers


def predict_probabilities(network: Network, ids: np.ndarray, offsets: np.ndarray, workers: Workers) -> np.ndarray:
    """Probabilities (S, C), in the net's dtype, of the sequences ``ids[offsets[s]:offsets[s + 1]]``, in their order.

    Neither the number of threads nor what else is asked for changes a row.
    """
    probabilities = np.empty((offsets.size - 1, network.shape.classes), dtype=network.dtype)
    batches = list(prediction_batches(np.diff(offsets)))

    def run(share: Sequence[np.ndarray]) -> None:
        with network.spare_workspace() as workspace:
            for members in share:
                batch = pack(ids, offsets, members)
                probabilities[members[batch.order]] = network.predict(batch, workspace)

    shares = [batches[start :: workers.threads] for start in range(min(workers.threads, len(batches)))]
    workers.map(run, shares)
    return probabilities
