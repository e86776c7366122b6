"""Search for the targets of many sources, in batches and on several threads."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqclf.layers.batch_prediction import for_batches, workers_for
from seqclf.layers.batches import Sequences
from seqclf.layers.parameters import Workspace
from seqclf.translation.decoding import beam_search, check_search, sample
from seqclf.translation.hypotheses import Hypothesis
from seqclf.translation.network import EOS, TransducerNetwork, Vectors
from seqclf.translation.stepping import NetworkStepper
from wordvec.system.validation import check_whole

LEAST_LENGTH = 20
"""A target may have at least so many units, or three times as many as its source."""
VECTOR_LENGTH = 100
"""The units that the target of a vector may have."""


@dataclass(frozen=True)
class Search:
    """How targets are searched.

    Attributes:
        beam: hypotheses that a beam search keeps; 1 is greedy decoding.
        n_best: hypotheses to return, at most ``beam``.
        max_length: the largest number of units; None is three times the source's, or 20 if that is more, and 100 of
            vectors.
        length_penalty, coverage_penalty, no_repeat: see ``beam_search``.
        temperature: draw ``n_best`` samples at this temperature instead.
        seed: of the samples.
    """

    beam: int = 5
    n_best: int = 1
    max_length: int | None = None
    length_penalty: float = 1.0
    coverage_penalty: float = 0.0
    no_repeat: int = 0
    temperature: float | None = None
    seed: int = 1

    def check(self) -> None:
        """Raise InputError if an option is out of range."""
        if self.max_length is not None:
            check_whole("max_length", self.max_length, 1)
        beam = self.beam if self.temperature is None else max(check_whole("n_best", self.n_best, 1), 1)
        check_search(beam, self.n_best, self.length_penalty, self.coverage_penalty, self.no_repeat)


def longest(sources: Sequences | Vectors) -> np.ndarray:
    """Return the most units that the target of each source may have: (S,) int64."""
    if isinstance(sources, Vectors):
        return np.full(len(sources.values), VECTOR_LENGTH)
    return np.asarray(np.maximum(3 * sources.lengths, LEAST_LENGTH))


def search_targets(
    network: TransducerNetwork, sources: Sequences | Vectors, search: Search, threads: int | None = None
) -> list[list[Hypothesis]]:
    """Return the best hypotheses of each source; a source's do not depend on the others.

    Raises:
        InputError: an option of ``search`` is out of range.
    """
    search.check()
    lengths = sources.lengths
    limits = longest(sources) if search.max_length is None else np.full(lengths.size, search.max_length)
    found: list[list[Hypothesis]] = [[] for _ in range(lengths.size)]

    def run(members: np.ndarray, workspace: Workspace) -> None:
        stepper = NetworkStepper.of_members(network, sources, members, workspace)
        options: dict[str, Any] = {
            "bos": network.bos, "eos": EOS, "max_lengths": limits[members], "no_repeat": search.no_repeat,
            "length_penalty": search.length_penalty,
        }  # fmt: skip
        if search.temperature is not None:
            results = sample(
                stepper, members.size, n_samples=search.n_best, temperature=search.temperature, seed=search.seed,
                **options,
            )  # fmt: skip
        else:
            results = beam_search(
                stepper, members.size, beam=search.beam, n_best=search.n_best,
                coverage_penalty=search.coverage_penalty, source_lengths=lengths[members], **options,
            )  # fmt: skip
        for member, hypotheses in zip(members.tolist(), results, strict=True):
            found[member] = hypotheses

    with workers_for(lengths.size, threads) as workers:
        for_batches(run, lengths, workers, network.spare_workspace)
    return found
