"""Projections and clusters."""

import sys

import numpy as np
import pytest

from wordvec import InputError
from wordvec.plotting.projection import clusters, principal_components, project


def blobs(count=20, size=6):
    draw = np.random.default_rng(1)
    centers = 10 * np.eye(3, size)
    return np.concatenate([center + draw.normal(size=(count, size)) for center in centers])


def test_principal_components_equal_those_of_scikit_learn():
    from sklearn.decomposition import PCA

    rows = blobs()
    places, shares = principal_components(rows)
    pca = PCA(2).fit(rows)
    assert np.allclose(np.abs(places), np.abs(pca.transform(rows)))
    assert np.allclose(shares, pca.explained_variance_ratio_)
    assert np.array_equal(places, project(rows))
    assert np.allclose(project(-rows), project(rows) * -1), "the sign is that of the vectors"


@pytest.mark.parametrize("rows", [np.ones((3, 4)), np.eye(2), np.zeros((2, 1)), np.arange(3.0)[:, None]])
def test_few_or_equal_vectors(rows):
    for method in ("pca", "tsne"):  # of fewer than four vectors, both are principal components
        assert np.isfinite(project(rows, method)).all()
        assert project(rows, method).shape == (len(rows), 2)


def test_tsne_keeps_groups_together_and_is_reproducible():
    places = project(blobs(8), "tsne", 3)
    groups = places.reshape(3, 8, 2)
    inner = np.linalg.norm(groups - groups.mean(axis=1, keepdims=True), axis=2).max()
    between = min(np.linalg.norm(groups[a].mean(axis=0) - groups[b].mean(axis=0)) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert between > inner
    assert np.array_equal(places, project(blobs(8), "tsne", 3))


def test_umap_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(InputError, match=r"not installed: pip install 'wordvec-seqclf\[umap\]'"):
        project(blobs(), "umap")
    monkeypatch.undo()
    pytest.importorskip("umap", reason="umap-learn is not installed; pip install 'wordvec-seqclf[umap]'")
    places = project(blobs(), "umap")
    assert np.array_equal(places, project(blobs(), "umap"))


def test_clusters_are_numbered_in_order():
    assert clusters(blobs(5), 3).tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert clusters(blobs(5)[::-1], 3).tolist() == [0] * 5 + [1] * 5 + [2] * 5


def test_invalid_arguments():
    for call, message in [
        (lambda: project(np.ones((1, 3))), "a map needs at least 2 words, got 1"),
        (lambda: project(blobs(), "lda"), "method must be one of pca, tsne, umap, got 'lda'"),
        (lambda: project(blobs(), seed=-1), "seed must be at least 0, got -1"),
        (lambda: clusters(np.eye(2), 3), "clusters must be at most the number of words, 2, got 3"),
    ]:
        with pytest.raises(InputError, match=message):
            call()
