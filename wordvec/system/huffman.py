"""The Huffman tree of hierarchical softmax."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from wordvec.errors import InputError


class HuffmanTree(NamedTuple):
    """The paths from the root to each word, concatenated."""

    nodes: np.ndarray
    """(total,) int32, the inner nodes of the paths; the root is V-2."""
    codes: np.ndarray
    """(total,) uint8, the branch taken at each node: 0 or 1."""
    offsets: np.ndarray
    """(V + 1,) int64; the path of word w is ``nodes[offsets[w]:offsets[w + 1]]``."""


def huffman_tree(counts: np.ndarray) -> HuffmanTree:
    """Return the Huffman tree of the counts (Huffman 1952), identical to that of word2vec.c.

    If counts are equal, the tree is not unique. word2vec.c keeps two queues, leaves from the least frequent and inner
    nodes from the oldest; it takes a leaf first only if its count is smaller; the first of the two merged nodes gets
    code 0. V words have V-1 inner nodes, numbered in order of creation.

    Args:
        counts: (V,) int64, V at least 2; sorted by descending count first, if they are not.

    Example:
        >>> tree = huffman_tree(np.array([5, 2, 1]))
        >>> for start, end in zip(tree.offsets[:-1], tree.offsets[1:]):
        ...     print(tree.nodes[start:end], tree.codes[start:end])
        [1] [1]
        [1 0] [0 1]
        [1 0] [0 0]
    """
    falling = np.argsort(-np.asarray(counts), kind="stable")
    return _paths(*_merged([int(count) for count in np.asarray(counts)[falling]]), falling)


def huffman_children(counts: np.ndarray) -> np.ndarray:
    """Return the children (V-1, 2) int32 of the inner nodes of the same tree, the one at code 0 first.

    Numbers below V are words; V + n is node n, which comes before its parent. The root is the last node.

    Example:
        >>> huffman_children(np.array([5, 2, 1])).tolist()
        [[2, 1], [3, 0]]
    """
    words = len(counts)
    falling = np.argsort(-np.asarray(counts), kind="stable")
    parents, turns = _merged([int(count) for count in np.asarray(counts)[falling]])
    children = np.zeros((words - 1, 2), np.int32)
    below = np.arange(2 * words - 2)
    children[parents[:-1] - words, turns[:-1]] = np.where(below < words, falling[np.minimum(below, words - 1)], below)
    return children


def tree_paths(children: np.ndarray) -> HuffmanTree:
    """Return the paths of a tree of V words given its ``children`` (V-1, 2), see ``huffman_children``.

    Example:
        >>> tree_paths(np.array([[2, 1], [3, 0]])).nodes.tolist()
        [1, 1, 0, 1, 0]
    """
    words = len(children) + 1
    parents, turns = np.zeros(2 * words - 1, np.int64), np.zeros(2 * words - 1, np.uint8)
    parents[children] = words + np.arange(words - 1)[:, None]
    turns[children[:, 1]] = 1
    return _paths(parents, turns, np.arange(words))


def check_tree(children: np.ndarray, words: int) -> None:
    """Check the children (N, 2) int32 of a tree of N + 1 of the ``words``, see ``huffman_children``.

    Raises:
        InputError: a child is out of range, occurs twice or after its parent, or the tree is too deep.
    """
    nodes = len(children)
    own = np.arange(nodes)[:, None]
    inner = children >= words
    if (
        not nodes
        or (children < 0).any()
        or (children - words >= own)[inner].any()
        or inner.sum() != nodes - 1
        or len(np.unique(children)) != 2 * nodes
    ):
        raise InputError("the nodes of its tree must have two children each, before their parents")
    level = np.array([nodes - 1])
    for _ in range(_DEEPEST + 1):
        below = children[level]
        level = below[below >= words] - words
        if not len(level):
            return
    raise InputError(f"its tree must have at most {_DEEPEST} levels")


_DEEPEST = 500
"""Far deeper than any Huffman tree of a text, so that paths take bounded memory."""


def _paths(parents: np.ndarray, turns: np.ndarray, leaf_words: np.ndarray) -> HuffmanTree:
    """Return the paths to ``leaf_words[leaf]``, from the parent and code of each node; the root is the last."""
    words = len(leaf_words)
    root = 2 * words - 2
    lengths = np.zeros(words, np.int64)
    for leaves, _ in _upwards(parents, root):
        lengths[leaf_words[leaves]] += 1
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    nodes, codes = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.uint8)
    for steps, (leaves, below) in enumerate(_upwards(parents, root)):
        places = offsets[leaf_words[leaves] + 1] - 1 - steps
        nodes[places] = parents[below] - words
        codes[places] = turns[below]
    return HuffmanTree(nodes, codes, offsets)


def _merged(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return parent and code of each node: V leaves with descending ``counts``, then V-1 inner nodes up to the root."""
    words = len(counts)
    parents, turns = np.zeros(2 * words - 1, np.int64), np.zeros(2 * words - 1, np.uint8)
    leaf, oldest = words - 1, words
    for new in range(words, 2 * words - 1):
        total = 0
        for turn in (0, 1):
            if leaf >= 0 and (oldest == new or counts[leaf] < counts[oldest]):
                smaller, leaf = leaf, leaf - 1
            else:
                smaller, oldest = oldest, oldest + 1
            parents[smaller], turns[smaller] = new, turn
            total += counts[smaller]
        counts.append(total)
    return parents, turns


def _upwards(parents: np.ndarray, root: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Walk from all leaves to the root: yield per step the leaves not yet at the root and their current nodes."""
    leaves = here = np.arange(root // 2 + 1)
    while len(leaves):
        yield leaves, here
        here = parents[here]
        leaves, here = leaves[here != root], here[here != root]
