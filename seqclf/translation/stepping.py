"""Encoder, decoder and softmax as a stepper of the search: the next unit's probabilities for many hypotheses."""

from dataclasses import dataclass

import numpy as np

from seqclf.layers.batches import Sequences
from seqclf.layers.decoder_search import Decoded, decode_greedily
from seqclf.layers.decoder_tape import Sources
from seqclf.layers.parameters import Workspace
from seqclf.translation.network import TransducerNetwork, Vectors, pack_sources


@dataclass(frozen=True)
class StepperState:
    """What hypotheses remember; N rows each.

    Attributes:
        layers: (K, N, H padded): h, then c, of each layer.
        fed: (N, H padded), the attentional states.
    """

    layers: np.ndarray
    fed: np.ndarray


class NetworkStepper:
    """The next unit's probabilities given M sources.

    Threads that each have their own stepper may share the network. Rows do not depend on each other.

    Args:
        network: trained.
        sources: their encoder states.
        workspace: of the calling thread.
    """

    def __init__(self, network: TransducerNetwork, sources: Sources, workspace: Workspace) -> None:
        self._network, self._workspace = network, workspace
        self.narrow = network.dtype == np.float32
        self._memory, first = network.decoder.remember(sources)
        self._first = StepperState(first, np.zeros((first.shape[1], first.shape[2]), first.dtype))
        self._sizes = np.diff(sources.spans)

    @classmethod
    def of_members(
        cls, network: TransducerNetwork, sources: Sequences | Vectors, members: np.ndarray, workspace: Workspace
    ) -> "NetworkStepper":
        """Return the stepper of some sources."""
        batch, inputs = pack_sources(network, sources, members, predict=True)
        return cls(network, network.encode(batch, inputs=inputs, keep=False, workspace=workspace)[2], workspace)

    def start(self) -> StepperState:
        """Return the state before the first unit, with a row for each source."""
        return self._first

    def step(
        self, state: StepperState, parents: np.ndarray, tokens: np.ndarray, sources: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, StepperState]:
        """Advance N hypotheses by one unit; see ``steppers.Stepper``.

        The last column of the log-probabilities (N, V + 1) is the symbol of the beginning, minus infinity.
        """
        attention, after = self._advance(state, parents, tokens, sources)
        found = np.full((tokens.size, self._network.shape.units + 1), -np.inf, np.float32)
        with np.errstate(divide="ignore"):
            found[:, :-1] = np.log(self._network.head.forward(after.fed))
        return found, attention, after

    def best(
        self, state: StepperState, parents: np.ndarray, tokens: np.ndarray, sources: np.ndarray, count: int, eos: int
    ) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray, StepperState]:
        """Advance N hypotheses by one unit; see ``steppers.NarrowStepper``."""
        attention, after = self._advance(state, parents, tokens, sources)
        return self._network.head.best(after.fed, count, eos), attention, after

    def _advance(
        self, state: StepperState, parents: np.ndarray, tokens: np.ndarray, sources: np.ndarray
    ) -> tuple[np.ndarray, StepperState]:
        combined, layers, weights = self._network.decoder.step(
            self._memory, np.take(state.layers, parents, axis=1), state.fed[parents], tokens, sources, self._workspace
        )
        sizes = self._sizes[sources]
        attention = np.zeros((tokens.size, int(self._sizes.max(initial=0))), np.float32)
        attention[np.arange(attention.shape[1]) < sizes[:, None]] = weights
        return attention, StepperState(layers, combined)

    def greedy(self, bos: int, eos: int, limits: np.ndarray) -> list[Decoded]:
        """Return the most probable unit at each step; see ``steppers.NarrowStepper``."""
        network = self._network
        return decode_greedily(
            network.decoder, network.head, self._memory, self._first.layers, bos=bos, eos=eos, limits=limits,
            workspace=self._workspace,
        )  # fmt: skip
