"""Freezing by layer: which parameters training leaves as they are."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wordvec import InputError


@dataclass(frozen=True)
class Frozen:
    """The frozen parameters of a network.

    Attributes:
        dense: which of the dense parameters, flat; None for none.
        tables: whether each table is.
    """

    dense: np.ndarray | None
    tables: list[bool]


def frozen_parameters(network: Any, names: str | None, tables: Sequence[str] = ("embedding",)) -> Frozen:
    """Return the parameters that the setting ``freeze`` names.

    Args:
        network: of any task; it is left as it is.
        names: separated by commas; each is a parameter that :func:`seqclf.summary.summarize` lists, or its
            beginning, such as ``layers.0``. None freezes nothing.
        tables: attributes of the network, the tables that its optimizer updates row by row.

    Raises:
        InputError: a name fits no parameter, or all fit.
    """
    if names is None:
        return Frozen(None, [False] * len(tables))
    state = copy.deepcopy(network.__getstate__())
    parameters, kept = state["parameters"], set()
    for name in (each.strip() for each in names.split(",")):
        found = {own for own in parameters if own == name or own.startswith(f"{name}.")}
        if not found:
            known = ", ".join(dict.fromkeys(_group(own) for own in parameters))
            raise InputError(f"freeze must name parameters or layers, such as {known}, got {name!r:.40}")
        kept |= found
    if kept == parameters.keys():
        raise InputError(f"freeze must leave something to train, got {names!r:.80}, which is everything")
    marks = {name: np.full_like(array, name in kept) for name, array in parameters.items()}
    marked = object.__new__(type(network))
    marked.__setstate__(state | {"parameters": marks})
    return Frozen(marked.dense != 0, [bool(_attribute(marked, table).any()) for table in tables])


def _group(name: str) -> str:
    """Return the layer that a parameter belongs to, such as ``layers.0``."""
    parts = name.split(".")
    return ".".join(parts[: 1 + (len(parts) > 1 and parts[1].isdecimal())])


def _attribute(network: Any, path: str) -> np.ndarray:
    for name in path.split("."):
        network = getattr(network, name)
    return np.asarray(network)
