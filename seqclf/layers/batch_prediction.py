"""Prediction of many sequences, in batches of similar length and on several threads."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np

from seqclf.layers.batches import Sequences, pack, pack_alone, prediction_batches
from seqclf.layers.parameters import Workspace
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.layers.workers import Workers
from wordvec.system.threads import worker_count
from wordvec.system.validation import check_whole

FEW = 32


def workers_for(sequences: int, threads: int | None) -> Workers:
    """Return the threads for some sequences: one for up to 32, which end before a second thread has started.

    A single one may use a second thread that has started before.
    """
    if threads is not None:
        check_whole("threads", threads, 1)
    return Workers(1, paired=threads != 1) if sequences <= FEW else Workers(worker_count(threads))


def predict_rows(network: PooledNetwork, sequences: Sequences, workers: Workers) -> np.ndarray:
    """Return the head's output for each sequence: (S, C) in the network's dtype.

    A row depends on neither the number of threads nor the other sequences.
    """
    lengths = sequences.lengths
    if lengths.size == 1:
        batch = pack_alone(sequences.ids[sequences.offsets[0] : sequences.offsets[1]])
        with network.spare_workspace() as workspace:
            inputs = network.inputs(sequences, batch, workspace)
            return network.predict(batch, workspace, inputs=inputs, paired=workers.paired)
    rows = np.empty((lengths.size, network.head.outputs), network.dtype)

    def predict(members: np.ndarray, workspace: Workspace) -> None:
        batch = pack(sequences.ids, sequences.offsets, members)
        inputs = network.inputs(sequences, batch, workspace)
        rows[members[batch.order]] = network.predict(batch, workspace, inputs=inputs)

    for_batches(predict, lengths, workers, network.spare_workspace)
    return rows


def for_batches(
    predict: Callable[[np.ndarray, Workspace], None],
    lengths: np.ndarray,
    workers: Workers,
    spare: Callable[[], AbstractContextManager[Workspace]],
) -> None:
    """Call ``predict(members, workspace)`` for batches of all sequences of ``lengths`` (S,), in parallel.

    Each thread gets a workspace from ``spare()``.
    """
    batches = list(prediction_batches(lengths))

    def run(share: Sequence[np.ndarray]) -> None:
        with spare() as workspace:
            for members in share:
                predict(members, workspace)

    workers.map(run, [batches[start :: workers.threads] for start in range(min(workers.threads, len(batches)))])
