"""The forecaster's network: a window of scaled values ▶ encoder ▶ last state ▶ regression head."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqclf.forecasting.settings import QUANTILES, ForecasterSettings
from seqclf.forecasting.windows import Preparation
from seqclf.layers.batches import PackedBatch, pack
from seqclf.layers.heads import QuantileHead, RegressionHead
from seqclf.layers.parameters import EncoderShape, Workspace, check_memory, encoder_shapes, initial_encoder
from seqclf.layers.pooled_network import PooledNetwork

_BATCH = 512  # windows per batch in prediction


def encoder_shape(settings: ForecasterSettings, inputs: int) -> EncoderShape:
    """Return the encoder's shape, with ``inputs`` values per step."""
    return EncoderShape(
        vocabulary=0, vector_size=inputs, hidden_size=settings.hidden_size, cell=settings.cell, reset=settings.reset,
        bidirectional=False, layers=settings.layers,
    )  # fmt: skip


def parameter_shapes(settings: ForecasterSettings, inputs: int, columns: int) -> dict[str, tuple[int, ...]]:
    """Return every parameter's name and shape, as files hold them."""
    outputs = _outputs(settings, columns)
    head = {"head.weight": (outputs, settings.hidden_size), "head.bias": (outputs,)}
    return encoder_shapes(encoder_shape(settings, inputs)) | head


def fresh_network(settings: ForecasterSettings, inputs: int, columns: int) -> PooledNetwork:
    """Return a network with initial parameters."""
    check_memory(parameter_shapes(settings, inputs, columns))
    random = np.random.default_rng([settings.seed, 0xF0CA])
    head = _head(settings, columns, random=random)
    parameters = initial_encoder(encoder_shape(settings, inputs), None, random) | head.parameters()
    return build_network(settings, inputs, columns, parameters)


def build_network(
    settings: ForecasterSettings, inputs: int, columns: int, parameters: Mapping[str, np.ndarray]
) -> PooledNetwork:
    """Return the network with the given parameters."""
    return PooledNetwork(encoder_shape(settings, inputs), _head(settings, columns), parameters)


def _outputs(settings: ForecasterSettings, columns: int) -> int:
    return columns * settings.step * (len(QUANTILES) if settings.quantiles else 1)


def _head(settings: ForecasterSettings, columns: int, **options: Any) -> RegressionHead | QuantileHead:
    outputs = _outputs(settings, columns)
    if settings.quantiles:
        return QuantileHead(outputs, settings.hidden_size, quantiles=QUANTILES, **options)
    return RegressionHead(outputs, settings.hidden_size, huber=settings.huber, **options)


def pack_windows(
    preparation: Preparation, windows: np.ndarray, origins: np.ndarray, known: np.ndarray | None = None
) -> tuple[PackedBatch, np.ndarray]:
    """Return windows (n, T, D) that end before their origins as a batch in their order, and its inputs.

    Args:
        preparation: of the series.
        windows, origins: see above; the origins are positions in the training series.
        known: (n, T, E) the inputs of columns known ahead.
    """
    inputs = preparation.inputs(windows, origins - windows.shape[1], known)
    count, length = windows.shape[:2]
    steps = np.arange(count * length, dtype=np.int32)
    return pack(steps, np.arange(count + 1) * length, np.arange(count)), inputs.reshape(steps.size, -1)


def each_column(windows: np.ndarray) -> np.ndarray:
    """Return windows (n, T, D) as those of each column (n D, T, 1).

    Example:
        >>> each_column(np.array([[[1, 2], [3, 4], [5, 6]]]))[:, :, 0].tolist()
        [[1, 3, 5], [2, 4, 6]]
    """
    return windows.swapaxes(1, 2).reshape(-1, windows.shape[1], 1)


def predict_windows(
    network: PooledNetwork,
    preparation: Preparation,
    windows: np.ndarray,
    origins: np.ndarray,
    known: np.ndarray | None = None,
) -> np.ndarray:
    """Return the next steps (n, S, D), scaled, after windows (n, T, D); arguments as for ``pack_windows``.

    They are medians, if the network learned quantiles.
    """
    found = predict_quantiles(network, preparation, windows, origins, known)
    return np.asarray(found[:, found.shape[1] // 2])


def predict_quantiles(
    network: PooledNetwork,
    preparation: Preparation,
    windows: np.ndarray,
    origins: np.ndarray,
    known: np.ndarray | None = None,
) -> np.ndarray:
    """Return the quantiles (n, Q, S, D) of the next steps, or a single one; see ``predict_windows``."""
    count, _, columns = windows.shape
    at_once = network.encoder.shape.vector_size - preparation.waves - (0 if known is None else known.shape[2])
    if at_once < columns:
        windows, origins = each_column(windows), np.repeat(origins, columns)
        known = None if known is None else np.repeat(known, columns, axis=0)
    levels = len(QUANTILES) if isinstance(network.head, QuantileHead) else 1
    found = np.empty((len(windows), levels, network.head.outputs // (at_once * levels), at_once))
    workspace = Workspace(network.dtype)
    for start in range(0, len(windows), _BATCH):
        part = slice(start, start + _BATCH)
        ahead = None if known is None else known[part]
        batch, inputs = pack_windows(preparation, windows[part], origins[part], ahead)
        rows = network.predict(batch, inputs=inputs, workspace=workspace)
        found[part] = rows.reshape(-1, *found.shape[1:])
    found += preparation.anchors(windows)[:, None]
    if at_once < columns:
        found = np.moveaxis(found[..., 0].reshape(count, columns, levels, -1), 1, 3)
    return found
