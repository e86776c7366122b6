"""The tree of hierarchical softmax in training: from the counts of the text, or grown from that of existing vectors."""

from collections.abc import Sequence

import numpy as np

from wordvec.errors import InputError
from wordvec.formats.table import NodeTable
from wordvec.system.huffman import HuffmanTree, check_tree, huffman_children, tree_paths
from wordvec.vectors.dense import WordVectors
from wordvec.vocabulary import Vocabulary


class TrainingTree:
    """The tree of a training run.

    Without nodes to continue from, it is the Huffman tree of the words of the text. Otherwise the words that the old
    tree has keep their places in it. A node with words of the text on one side alone has nothing to decide: training
    leaves it out, and it stays as it is. The other words get a Huffman tree of their own, joined to it by a new root.

    Args:
        vocabulary: the words of the text, with counts.
        initial: vectors to continue from, or None.

    Attributes:
        paths: the paths of the words of the text.
    """

    def __init__(self, vocabulary: Vocabulary, initial: WordVectors | None) -> None:
        self._words, self._old_words = vocabulary, Vocabulary([]) if initial is None else initial.vocabulary
        self._old = NodeTable(np.zeros((0, 1), np.float32), np.zeros((0, 2), np.int32))
        if initial is not None and initial.nodes is not None:
            self._old = initial.nodes
        types, old_types = len(vocabulary), len(self._old_words)
        old_ids = self._old_words.rows_of(vocabulary.tokens)
        self._added = np.flatnonzero(~np.isin(old_ids, self._old.children[self._old.children < old_types]))
        known = np.setdiff1d(np.arange(types), self._added)
        self._kept, children, top = _restricted(self._old.children, old_ids[known], known, old_types, types)
        assert vocabulary.counts is not None
        counts = vocabulary.counts[self._added]
        self._own = huffman_children(counts) if len(counts) > 1 else np.zeros((0, 2), np.int32)
        own, own_top = self._placed(self._added, types + len(children))
        self._joins = top >= 0 and own_top >= 0
        self.paths: HuffmanTree = tree_paths(_stacked(children, own, [[top, own_top]] if self._joins else []))

    def start(self, rows: np.ndarray) -> None:
        """Copy the nodes to continue from into the output ``rows`` (V, D); row n is that of node n."""
        if len(self._kept):
            rows[: len(self._kept)] = self._old.vectors[self._kept]

    def nodes(self, rows: np.ndarray, words: Vocabulary) -> NodeTable:
        """Return the old tree, changed by training, and the nodes of the words that are new to it.

        Args:
            rows: (V, D), the output rows.
            words: those of the result.
        """
        kept, old, types = len(self._kept), len(self._old.vectors), len(words)
        vectors = [rows[kept : kept + len(self._own)]]
        own, top = self._placed(words.rows_of(self._words.tokens)[self._added], types + old)
        if not old:
            return NodeTable(vectors[0], own)
        ids = words.rows_of(self._old_words.tokens)
        before, inner = self._old.children, self._old.children >= len(ids)
        before = np.where(inner, before - len(ids) + types, ids[np.where(inner, 0, before)])
        changed = np.array(self._old.vectors, np.float32)
        changed[self._kept] = rows[:kept]
        root = rows[len(self._words) - 2 : len(self._words) - 1]
        if top < 0:
            return NodeTable(changed, _stacked(before))
        vectors = [changed, *vectors, root if self._joins else np.zeros_like(root)]
        return NodeTable(np.concatenate(vectors), _stacked(before, own, [[types + old - 1, top]]))

    def _placed(self, leaves: np.ndarray, first: int) -> tuple[np.ndarray, int]:
        """Return the tree of the added words, called ``leaves``, its inner nodes from ``first``, and the root or -1."""
        if len(leaves) < 2:
            return self._own, int(leaves[0]) if len(leaves) else -1
        inner = self._own >= len(leaves)
        placed = np.where(inner, self._own - len(leaves) + first, leaves[np.where(inner, 0, self._own)])
        return placed.astype(np.int32), first + len(self._own) - 1


def check_nodes(nodes: NodeTable, words: int) -> None:
    """Check the nodes of vectors of ``words`` that training would continue from.

    Raises:
        InputError: they are not a tree of these words, or not finite.
    """
    check_tree(nodes.children, words)
    if not np.isfinite(nodes.vectors).all():
        raise InputError("the nodes of the vectors to continue from must be finite; their file is damaged")


def _restricted(
    children: np.ndarray, old_ids: np.ndarray, ids: np.ndarray, old_types: int, types: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the nodes with some of the words ``old_ids`` on both sides, their children among the same words called
    ``ids`` and nodes from ``types``, and the root, -1 if there are no words."""
    place = [-1] * (old_types + len(children))
    for old_id, own in zip(old_ids.tolist(), ids.tolist(), strict=True):
        place[old_id] = own
    kept: list[int] = []
    own_children = []
    for node, (first, second) in enumerate(children.tolist()):
        sides = place[first], place[second]
        if min(sides) >= 0:
            place[old_types + node] = types + len(kept)
            kept.append(node)
            own_children.append(sides)
        else:
            place[old_types + node] = max(sides)
    return np.array(kept, np.int64), _stacked(own_children), place[-1] if len(children) else -1


def _stacked(*children: "np.ndarray | Sequence[Sequence[int]]") -> np.ndarray:
    return np.concatenate([np.asarray(part, np.int32).reshape(-1, 2) for part in children])
