"""The Huffman tree: codes identical to those of word2vec.c, optimal and prefix-free."""

import numpy as np
import pytest

from tests.oracles import naive_losses
from wordvec.system.huffman import huffman_tree


def paths(counts):
    """Return code and nodes of each word, as a string and a list."""
    tree = huffman_tree(np.array(counts))
    assert (tree.nodes.dtype, tree.codes.dtype, tree.offsets.dtype) == (np.int32, np.uint8, np.int64)
    return [
        ("".join(str(code) for _, code in path), [node for node, _ in path])
        for path in naive_losses.paths_of_words(*tree)
    ]


# Output of word2vec.c's CreateBinaryTree for these counts: code and point of each word.
@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([3, 1], [("1", [0]), ("0", [0])]),
        ([5, 5, 5, 5, 5], [("10", [3, 2]), ("01", [3, 1]), ("00", [3, 1]), ("111", [3, 2, 0]), ("110", [3, 2, 0])]),
        (
            [7, 7, 4, 3, 2, 2, 2, 1, 1],
            [
                ("10", [7, 6]),
                ("01", [7, 5]),
                ("111", [7, 6, 4]),
                ("000", [7, 5, 3]),
                ("1101", [7, 6, 4, 2]),
                ("1100", [7, 6, 4, 2]),
                ("0011", [7, 5, 3, 1]),
                ("00101", [7, 5, 3, 1, 0]),
                ("00100", [7, 5, 3, 1, 0]),
            ],
        ),
        (
            [40, 20, 10, 5, 3, 2, 1],
            [
                ("0", [5]),
                ("10", [5, 4]),
                ("110", [5, 4, 3]),
                ("1110", [5, 4, 3, 2]),
                ("11111", [5, 4, 3, 2, 1]),
                ("111101", [5, 4, 3, 2, 1, 0]),
                ("111100", [5, 4, 3, 2, 1, 0]),
            ],
        ),
    ],
)
def test_the_tree_matches_word2vec_c(counts, expected):
    assert paths(counts) == expected


def corpora():
    random = np.random.default_rng(3)
    yield [1] * 64
    yield [2**k for k in range(70, -1, -1)][8:]
    for types in (2, 3, 4, 7, 50, 333):
        yield sorted(random.integers(0, 5, types).tolist(), reverse=True)
        yield sorted(random.zipf(1.5, types).clip(1, 10**9).tolist(), reverse=True)


@pytest.mark.parametrize("counts", [*corpora()], ids=len)
def test_codes_are_optimal_and_prefix_free(counts):
    found = paths(counts)
    codes = [code for code, _ in found]
    cost = sum(count * len(code) for count, code in zip(counts, codes, strict=True))
    assert cost == naive_losses.huffman_cost(counts)
    assert len(set(codes)) == len(counts)
    for shorter, longer in zip(sorted(codes), sorted(codes)[1:], strict=False):
        assert not longer.startswith(shorter)
    # Following a code from the root passes the nodes; each prefix corresponds to one node.
    node_of = {}
    for code, nodes in found:
        assert len(code) == len(nodes)
        for k, node in enumerate(nodes):
            assert node_of.setdefault(code[:k], node) == node
    assert sorted(node_of.values()) == list(range(len(counts) - 1))
    assert node_of[""] == len(counts) - 2


def test_codes_do_not_depend_on_word_order():
    counts = [1, 9, 4, 0, 25, 16, 36]
    falling = sorted(counts, reverse=True)
    assert paths(counts) == [paths(falling)[falling.index(count)] for count in counts]
