"""Parameters of a network by array: shapes, counts and memory."""

import math
from dataclasses import dataclass
from typing import Any

from wordvec import InputError

_FLOAT, _ADAM = 4, 4
"""Bytes of a parameter; arrays of its size while Adam trains: values, gradients and two moments."""


@dataclass(frozen=True)
class Summary:
    """The parameters of a network.

    Attributes:
        shapes: of each array by name, as files hold them.
    """

    shapes: dict[str, tuple[int, ...]]

    @property
    def counts(self) -> dict[str, int]:
        """The number of parameters of each array."""
        return {name: math.prod(shape) for name, shape in self.shapes.items()}

    @property
    def parameters(self) -> int:
        """Their number in all arrays."""
        return sum(self.counts.values())

    @property
    def bytes(self) -> int:
        """Memory of the values, float32."""
        return _FLOAT * self.parameters

    @property
    def training_bytes(self) -> int:
        """Memory of values, gradients and Adam's moments, without the activations of a batch."""
        return _ADAM * self.bytes

    def __str__(self) -> str:
        rows = [(name, " x ".join(map(str, shape)), f"{self.counts[name]:,}") for name, shape in self.shapes.items()]
        rows.append(("all", "", f"{self.parameters:,}"))
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [f"{name:{widths[0]}}  {shape:>{widths[1]}}  {count:>{widths[2]}}" for name, shape, count in rows]
        memory = f"{self.bytes / 1e6:,.1f} MB; {self.training_bytes / 1e6:,.1f} MB with gradients and Adam's moments"
        return "\n".join([*lines, memory])


def summarize(model: Any) -> Summary:
    """Return the parameters of a model that a network makes, of any task.

    Args:
        model: as ``load_model`` or a training function returns it.

    Raises:
        InputError: the model has no network, such as a linear classifier.

    Example:
        >>> from seqclf import LanguageModelSettings, train_language_model
        >>> settings = LanguageModelSettings(hidden_size=4, epochs=1)
        >>> print(summarize(train_language_model(["the cat sat"] * 9, settings=settings, threads=1)))
        embedding                   5 x 4   20
        layers.0.forward.w_input   16 x 4   64
        layers.0.forward.w_hidden  16 x 4   64
        layers.0.forward.bias          16   16
        head.weight                 5 x 4   20
        head.bias                       5    5
        all                                189
        0.0 MB; 0.0 MB with gradients and Adam's moments
    """
    network = getattr(model, "network", None)
    if network is None:
        raise InputError("only models with one network have parameters to list; wordvec info FILE lists all arrays")
    return Summary({name: array.shape for name, array in network.parameters().items()})
