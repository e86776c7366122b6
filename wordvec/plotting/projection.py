"""Projections of vectors to the plane, PCA, t-SNE and UMAP, and clusters by k-means."""

import numpy as np

from wordvec.errors import InputError
from wordvec.system.optional import optional_module
from wordvec.system.validation import check_choice, check_whole

METHODS = ("pca", "tsne", "umap")
_PERPLEXITY = 30.0
_NEIGHBORS = 15


def project(vectors: np.ndarray, method: str = "pca", seed: int = 1) -> np.ndarray:
    """Return the places (n, 2) float64 of vectors (n, D) in the plane.

    Args:
        vectors: at least two, all of them finite.
        method: ``"pca"``, the two principal components, with the largest weight of each positive; ``"tsne"``
            (van der Maaten & Hinton 2008), from scikit-learn, started from PCA; or ``"umap"`` (McInnes et al. 2018),
            which needs ``pip install 'wordvec-seqclf[umap]'``. The last two keep neighborhoods, not distances.
        seed: of t-SNE and UMAP.

    Raises:
        InputError: fewer than two vectors, an unknown method, or UMAP is not installed.

    Example:
        >>> places = project(np.array([[3.0, 0, 0], [-3, 0, 0], [0, 1, 0], [0, -1, 0]]))
        >>> (places.round(6) + 0).tolist()
        [[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]]
    """
    check_choice("method", method, METHODS)
    seed = check_whole("seed", seed, 0, 2**32 - 1)
    if len(vectors) < 2:
        raise InputError(f"a map needs at least 2 words, got {len(vectors)}")
    rows = np.asarray(vectors, np.float64)
    if method == "pca" or len(rows) < 4:
        return principal_components(rows)[0]
    if method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(_PERPLEXITY, (len(rows) - 1) / 3)
        return np.asarray(TSNE(perplexity=perplexity, init=_start(rows), random_state=seed).fit_transform(rows))
    umap = optional_module("umap", "method 'umap' needs umap-learn", "umap")
    neighbors = min(_NEIGHBORS, len(rows) - 1)
    return np.asarray(
        umap.UMAP(n_neighbors=neighbors, init=_start(rows), random_state=seed, n_jobs=1).fit_transform(rows), np.float64
    )


def _start(rows: np.ndarray) -> np.ndarray:
    """Return the principal components, small, from which t-SNE and UMAP start."""
    places = principal_components(rows)[0]
    return (1e-4 * places / max(float(places[:, 0].std()), 1e-12)).astype(np.float32)


def principal_components(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first two principal components (n, 2), and their shares (2,) of the variance."""
    centered = rows - rows.mean(axis=0)
    left, values, axes = np.linalg.svd(centered, full_matrices=False)
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    places = np.zeros((len(rows), 2))
    count = min(2, len(values))
    places[:, :count] = left[:, :count] * (values * signs)[:count]
    shares = np.zeros(2)
    shares[:count] = (values**2)[:count] / max(float((values**2).sum()), 1e-300)
    return places, shares


def clusters(units: np.ndarray, count: int, seed: int = 1) -> np.ndarray:
    """Return the cluster (n,) int64 of unit vectors (n, D), by k-means; numbered in order of their first vector.

    Raises:
        InputError: fewer vectors than clusters.

    Example:
        >>> clusters(np.array([[1.0, 0], [0, 1], [0.1, 1], [1, 0.1]]), 2).tolist()
        [0, 1, 1, 0]
    """
    count = check_whole("clusters", count, 1)
    if count > len(units):
        raise InputError(f"clusters must be at most the number of words, {len(units)}, got {count}")
    from sklearn.cluster import KMeans

    labels = KMeans(count, n_init=10, random_state=seed).fit_predict(np.asarray(units, np.float64))
    _, first = np.unique(labels, return_index=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[np.searchsorted(np.unique(labels), labels)])
