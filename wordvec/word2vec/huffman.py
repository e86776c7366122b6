"""The Huffman tree of hierarchical softmax: a short way down to each frequent word. Pure functions of the counts."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class HuffmanTree(NamedTuple):
    """The way from the root down to each word, one word after another."""

    nodes: np.ndarray
    """(total,) int32, the inner nodes passed; the root is V-2."""
    codes: np.ndarray
    """(total,) uint8, the turn taken at each of them: 0 or 1."""
    offsets: np.ndarray
    """(V + 1,) int64; word w has ``nodes[offsets[w]:offsets[w + 1]]``."""


def huffman_tree(counts: np.ndarray) -> HuffmanTree:
    """The tree in which the mean code of a token is shortest (Huffman 1952), node for node that of word2vec.c.

    A tree may be had in many ways where counts are equal. word2vec.c's: leaves, from the least frequent on, and inner
    nodes, from the oldest on, wait in two queues; a leaf goes first only when its count is smaller; of the two
    that become one node the first has code 0. V words have V-1 inner nodes, numbered as they come to be.

    Args:
        counts: (V,) int64, at least two; by falling count as in word2vec.c, else they are taken in that order.

    Example:
        >>> tree = huffman_tree(np.array([5, 2, 1]))
        >>> for start, end in zip(tree.offsets[:-1], tree.offsets[1:]):
        ...     print(tree.nodes[start:end], tree.codes[start:end])
        [1] [1]
        [1 0] [0 1]
        [1 0] [0 0]
    """
    words = len(counts)
    falling = np.argsort(-np.asarray(counts), kind="stable")
    parents, turns = _merged([int(count) for count in np.asarray(counts)[falling]])
    root = 2 * words - 2
    lengths = np.zeros(words, np.int64)
    for leaves, _ in _upwards(parents, root):
        lengths[falling[leaves]] += 1
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    nodes, codes = np.empty(offsets[-1], np.int32), np.empty(offsets[-1], np.uint8)
    for steps, (leaves, below) in enumerate(_upwards(parents, root)):
        places = offsets[falling[leaves] + 1] - 1 - steps
        nodes[places] = parents[below] - words
        codes[places] = turns[below]
    return HuffmanTree(nodes, codes, offsets)


def _merged(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Parent and code of each node: V leaves, whose ``counts`` fall, then V-1 inner nodes up to the root."""
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
    """Step by step from all leaves to the root: the leaves that are not there yet, and the nodes where they are."""
    leaves = here = np.arange(root // 2 + 1)
    while len(leaves):
        yield leaves, here
        here = parents[here]
        leaves, here = leaves[here != root], here[here != root]
