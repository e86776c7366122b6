"""The encoder's shape, its parameters by name and as one flat array, and reusable buffers."""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import DTypeLike

from seqclf.layers.cells import get_cell, padded
from wordvec.system.aligned_arrays import aligned
from wordvec.system.available_memory import require_memory

DIRECTIONS = ("forward", "reverse")


@dataclass(frozen=True)
class EncoderShape:
    """Sizes and options that determine an encoder's parameters and computation.

    Attributes:
        vocabulary: V, the rows of the embedding table; 0 if the inputs are vectors.
        vector_size: E.
        hidden_size: H, for each direction.
        cell: ``rnn``, ``gru`` or ``lstm``.
        reset: where a GRU's reset gate acts: ``after`` the product (cuDNN, PyTorch) or ``before`` (Cho et al. 2014).
        bidirectional: read in both directions, or forward only.
        merge: how the states of two directions are merged: ``concatenate``, ``sum``, ``average`` or ``multiply``.
        layers: the number of stacked recurrent layers.
        zoneout, zoneout_cell: the probability that a unit of h, or of c, keeps its old value in a training step;
            prediction uses the expected value (Krueger et al. 2017).
        appended: columns appended to the vectors of the table.
    """

    vocabulary: int
    vector_size: int
    hidden_size: int
    cell: str = "lstm"
    reset: str = "after"
    bidirectional: bool = True
    merge: str = "concatenate"
    layers: int = 1
    zoneout: float = 0.0
    zoneout_cell: float = 0.0
    appended: int = 0

    @property
    def inputs(self) -> int:
        """The width of the first layer's inputs."""
        return self.vector_size + self.appended

    @property
    def directions(self) -> tuple[str, ...]:
        return DIRECTIONS if self.bidirectional else DIRECTIONS[:1]

    @property
    def parts(self) -> int:
        """The number of directions concatenated in a state."""
        return 2 if self.bidirectional and self.merge == "concatenate" else 1

    @property
    def features(self) -> int:
        """F, the width of a state: 2 H if two directions are concatenated, else H."""
        return self.hidden_size * self.parts


def encoder_shapes(shape: EncoderShape) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them; gates are in the order i, f, g, o or r, z, n.

    Example:
        >>> for name, size in encoder_shapes(EncoderShape(9, 3, 2, cell="gru", bidirectional=False)).items():
        ...     print(name, size)
        embedding (9, 3)
        layers.0.forward.w_input (6, 3)
        layers.0.forward.w_hidden (6, 2)
        layers.0.forward.bias (6,)
        layers.0.forward.bias_hidden (2,)
    """
    shapes: dict[str, tuple[int, ...]] = (
        {"embedding": (shape.vocabulary, shape.vector_size)} if shape.vocabulary else {}
    )
    cell = get_cell(shape.cell, shape.reset)
    for layer in range(shape.layers):
        inputs = shape.features if layer else shape.inputs
        for direction in shape.directions:
            for name, size in cell.shapes(inputs, shape.hidden_size).items():
                shapes[f"layers.{layer}.{direction}.{name}"] = size
    return shapes


def check_memory(shapes: Mapping[str, tuple[int, ...]], table: np.ndarray | None = None) -> None:
    """Check that parameters of these shapes, besides a ``table`` that exists, and their gradients fit in memory.

    Raises:
        TrainingError: they do not.
    """
    sizes = {name: math.prod(size) for name, size in shapes.items()}
    count, largest = sum(sizes.values()), max(sizes, key=sizes.__getitem__)
    require_memory(
        8 * (count - (0 if table is None else table.size)),
        f"a network of {count:,} parameters, most of them in {largest} {shapes[largest]},",
        "use smaller sizes, such as hidden_size, or fewer words or labels",
    )


def initial_encoder(
    shape: EncoderShape, table: np.ndarray | None, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return initial parameters with the given embedding table (V, E)."""
    parameters = {} if table is None else {"embedding": table}
    cell = get_cell(shape.cell, shape.reset)
    for layer in range(shape.layers):
        inputs = shape.features if layer else shape.inputs
        for direction in shape.directions:
            for name, value in cell.initial(inputs, shape.hidden_size, random).items():
                parameters[f"layers.{layer}.{direction}.{name}"] = value
    return parameters


class Views(Protocol):
    """A network's weights and gradients: arrays by name."""

    views: dict[str, np.ndarray]
    d_views: dict[str, np.ndarray]


class FlatParameters:
    """All dense parameters in one flat array, and their gradients in another; each part is aligned to a cache line.

    Attributes:
        values, gradient: flat arrays.
        views, d_views: their parts by name.
    """

    def __init__(self, layout: Mapping[str, tuple[int, ...]], dtype: DTypeLike) -> None:
        total = sum(padded(int(np.prod(size))) for size in layout.values())
        self.values, self.gradient = aligned(total, dtype), aligned(total, dtype)
        self.views, self.d_views = {}, {}
        start = 0
        for name, size in layout.items():
            count = int(np.prod(size))
            self.views[name] = self.values[start : start + count].reshape(size)
            self.d_views[name] = self.gradient[start : start + count].reshape(size)
            start += padded(count)


_MOST_RECORDS = 256

R = TypeVar("R")


class Workspace:
    """Arrays that are reused from batch to batch, so that steps do not allocate memory."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = np.dtype(dtype)
        self._kept: dict[str, np.ndarray] = {}
        self._records: dict[tuple[object, ...], Any] = {}
        self.nbytes = 0
        """Bytes kept for the next batch."""

    def array(self, name: str, *shape: int, dtype: DTypeLike | None = None) -> np.ndarray:
        """Return an uninitialized array, valid until ``name`` is requested again."""
        size = math.prod(shape)
        kept = self._kept.get(name)
        if kept is None or kept.size < size:
            self.nbytes -= 0 if kept is None else kept.nbytes
            kept = aligned(max(size, 2 * kept.size if kept is not None else 0), dtype or self._dtype)
            self.nbytes += kept.nbytes
            self._kept[name] = kept
            self._records.clear()
        return kept[:size].reshape(shape)

    def record(self, key: tuple[object, ...], make: Callable[[], R]) -> R:
        """Return ``make()``, a record of arrays of this workspace, which is kept until one of its arrays is replaced.

        Example:
            >>> space = Workspace(np.float32)
            >>> first = space.record(("states", 3), lambda: [space.array("h", 3)])
            >>> first is space.record(("states", 3), lambda: [space.array("h", 3)])
            True
        """
        found = self._records.get(key)
        if found is None:
            found = make()
            if len(self._records) >= _MOST_RECORDS:
                self._records.clear()
            self._records[key] = found
        return cast(R, found)

    def zeros(self, *shape: int) -> np.ndarray:
        """Return an array of zeros that is shared, and must not be written to."""
        size = math.prod(shape)
        kept = self._kept.get("zeros")
        if kept is None or kept.size < size:
            kept = self.array("zeros", size)
            self._kept["zeros"][:] = 0
        return kept[:size].reshape(shape)


_SPARE_BYTES = 2**22
"""Larger workspaces are not kept."""


class SpareWorkspaces:
    """Workspaces for threads that predict at the same time; small ones are kept for the next caller."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._dtype = dtype
        self._kept: list[Workspace] = []

    @contextlib.contextmanager
    def lend(self) -> Iterator[Workspace]:
        """Lend a workspace to one thread."""
        workspace = self._kept.pop() if self._kept else Workspace(self._dtype)
        yield workspace
        if workspace.nbytes < _SPARE_BYTES:
            self._kept.append(workspace)
