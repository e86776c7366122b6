"""Placement of labels next to their points, so that they cover neither each other nor other points."""

import numpy as np

_RADII = (3.0, 7.0, 12.0, 18.0, 26.0, 36.0, 48.0, 62.0)
"""Distances of a label's box from its point, in points (1/72 inch); the nearest free place is taken."""
_ANGLES = 16
_POINT = 3.0
"""Half the side of the square that no label covers around a point, in points."""
_STEPS = 200
"""Places along a line that no label covers."""


def place_labels(
    points: np.ndarray, sizes: np.ndarray, width: float, height: float, lines: np.ndarray | None = None
) -> np.ndarray:
    """Return the lower left corners (n, 2) of labels, first come, first placed.

    Args:
        points: (n, 2) places of the points, in points (1/72 inch) from the lower left corner of the picture.
        sizes: (n, 2) widths and heights of the labels.
        width, height: of the picture; labels stay within it.
        lines: (m, 4) from x, y to x, y, which labels do not cover either.

    Example:
        >>> corners = place_labels(np.array([[50.0, 50], [52, 50]]), np.full((2, 2), 10.0), 100, 100)
        >>> corners.round(1).tolist()
        [[37.0, 45.0], [55.0, 45.0]]
    """
    angles = np.arange(_ANGLES) * 2 * np.pi / _ANGLES
    # Right and left first, then above and below, then between.
    order = sorted(range(_ANGLES), key=lambda k: (min(abs(np.sin(angles[k])), abs(np.cos(angles[k]))) > 0.1, k % 8, k))
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)[order]
    obstacles = np.concatenate([points - _POINT, points + _POINT], axis=1)
    steps = np.linspace(0, 1, _STEPS)[:, None, None]
    along = np.zeros((0, 2)) if lines is None else (lines[:, :2] + steps * (lines[:, 2:] - lines[:, :2])).reshape(-1, 2)
    along_lines = np.concatenate([along - 1, along + 1], axis=1)
    placed = np.zeros((0, 4))
    corners = np.zeros_like(points)
    for row, (point, size) in enumerate(zip(points, sizes, strict=True)):
        centers = np.concatenate([point + directions * (radius + size / 2) for radius in _RADII])
        boxes = np.concatenate([centers - size / 2, centers + size / 2], axis=1)
        others = np.concatenate([np.delete(obstacles, row, axis=0), along_lines, placed])
        outside = np.maximum(0, np.concatenate([-boxes[:, :2], boxes[:, 2:] - (width, height)], axis=1)).sum(axis=1)
        covered = _overlap(boxes, others) + 1e3 * outside
        best = int(np.argmin(covered > 0)) if (covered == 0).any() else int(np.argmin(covered))
        corners[row] = boxes[best, :2]
        placed = np.concatenate([placed, boxes[best : best + 1]])
    return corners


def _overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the area (n,) of others (m, 4) that each box (n, 4) covers; boxes are left, bottom, right, top."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(axis=2).sum(axis=1))
