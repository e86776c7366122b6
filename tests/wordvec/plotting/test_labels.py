"""Labels cover neither each other, nor points, nor lines."""

import numpy as np
import pytest

from wordvec.plotting.labels import place_labels


def boxes_of(corners, sizes):
    return np.concatenate([corners, corners + sizes], axis=1)


def overlaps(a, b):
    return min(a[2], b[2]) - max(a[0], b[0]) > 1e-9 and min(a[3], b[3]) - max(a[1], b[1]) > 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_labels_are_apart_and_inside(seed):
    draw = np.random.default_rng(seed)
    points = draw.uniform(30, 470, (60, 2))
    sizes = np.stack([draw.uniform(10, 50, 60), np.full(60, 9.0)], axis=1)
    boxes = boxes_of(place_labels(points, sizes, 500, 500), sizes)
    assert boxes.min() >= 0
    assert boxes.max() <= 500
    for row, box in enumerate(boxes):
        assert not any(overlaps(box, other) for other in boxes[:row])
        assert not any(overlaps(box, (*(point - 3), *(point + 3))) for k, point in enumerate(points) if k != row)
        center = np.clip(points[row], box[:2], box[2:])
        assert np.hypot(*(center - points[row])) < 70


def test_lines_are_avoided():
    points, sizes = np.array([[50.0, 50]]), np.array([[20.0, 8]])
    line = np.array([[50.0, 50, 100, 50]])
    (free,), (beside,) = (place_labels(points, sizes, 100, 100, lines) for lines in (None, line))
    assert free[0] > 50
    assert beside[0] < 50


def test_a_full_picture_takes_the_least_covered_place():
    points, sizes = np.full((40, 2), 50.0), np.full((40, 2), 40.0)
    corners = place_labels(points, sizes, 100, 100)
    assert np.isfinite(corners).all()
    assert corners.min() >= -1e-9
    assert (corners + sizes).max() <= 100 + 1e-9
