"""The tree of hierarchical softmax in training: from counts, and grown from that of existing vectors."""

from dataclasses import replace

import numpy as np
import pytest

from tests.cases.word2vec import wraps_around
from tests.oracles.naive_losses import paths_of_words
from wordvec import FormatError, Word2VecSettings, WordVectors, encode_corpus, load_vectors, save_vectors
from wordvec.errors import InputError
from wordvec.formats.table import NodeTable
from wordvec.system.huffman import check_tree, huffman_children, huffman_tree, tree_paths
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.training import train_word2vec
from wordvec.word2vec.trees import TrainingTree

pytestmark = wraps_around

OLD = Vocabulary(list("abcdefg"), [9, 8, 5, 5, 2, 2, 1])
TEXTS = ["the cat sat on the mat", "the dog sat on the mat"] * 30
SETTINGS = Word2VecSettings(vector_size=8, epochs=3, learning_rate=0.1, subsample=0, loss="hierarchical")


@pytest.fixture(scope="module")
def trained():
    return train_word2vec(encode_corpus(TEXTS), SETTINGS, threads=1).vectors


def continued(initial, texts=TEXTS, **changes):
    return train_word2vec(encode_corpus(texts), replace(SETTINGS, **changes), threads=1, initial=initial)


def paths(children):
    """The path of each word as pairs of node and code, and the words below each node."""
    found = paths_of_words(*tree_paths(children))
    below = {node: {k for k, path in enumerate(found) for n, _ in path if n == node} for node in range(len(children))}
    return found, below


def old_vectors():
    found = WordVectors(OLD, np.ones((7, 2)))
    rows = np.arange(12, dtype=np.float32).reshape(6, 2) + 1
    found.nodes = NodeTable(rows, huffman_children(np.asarray(OLD.counts)))
    return found


@pytest.mark.parametrize("counts", [[3, 1], [5, 5, 5, 5, 5], [1, 7, 2, 4, 9, 3], [7, 7, 4, 3, 2, 2, 2, 1, 1]])
def test_without_nodes_the_tree_is_that_of_the_counts(counts):
    words = Vocabulary([f"w{k}" for k in range(len(counts))], counts)
    for initial in (None, WordVectors(OLD, np.ones((7, 2)))):
        tree = TrainingTree(words, initial)
        for found, expected in zip(tree.paths, huffman_tree(np.array(counts)), strict=True):
            np.testing.assert_array_equal(found, expected)
    rows = np.ones((len(counts), 2), np.float32)
    found = TrainingTree(words, None).nodes(rows, words)
    check_tree(found.children, len(counts))
    np.testing.assert_array_equal(found.children, huffman_children(np.array(counts)))


@pytest.mark.parametrize(
    "tokens", [["a", "x", "f", "c", "y", "z"], ["g", "x"], ["x", "y", "z"], ["b", "g", "e"], list("gfedcba")]
)
def test_words_keep_their_places_in_the_old_tree(tokens):
    initial, words = old_vectors(), Vocabulary(tokens, np.arange(len(tokens), 0, -1))
    tree = TrainingTree(words, initial)
    rows = np.zeros((len(words), 2), np.float32)
    tree.start(rows)
    old_paths, below = paths(initial.nodes.children)
    shared = [OLD.token_to_id[token] for token in tokens if token in OLD.token_to_id]
    sides = [{old_paths[word][k][1] for word in shared for k, (n, _) in enumerate(old_paths[word]) if n == node}
             for node in below]  # fmt: skip
    decided = [node for node in below if len(sides[node]) == 2]
    new = [token for token in tokens if token not in OLD.token_to_id]
    found = paths_of_words(*tree.paths)
    for word, path in zip(tokens, found, strict=True):
        if word in OLD.token_to_id:
            expected = [
                (initial.nodes.vectors[n, 0], code) for n, code in old_paths[OLD.token_to_id[word]] if n in decided
            ]
            joined = [(0, 0)] if new else []
            assert [(rows[n, 0], code) for n, code in path] == joined + expected
    for word in new:
        assert found[tokens.index(word)][0][1] == (1 if shared else found[tokens.index(word)][0][1])

    # The whole tree: rows that training changed, the others as they were, and a root of both.
    rows += 100
    merged = OLD.merged(words)
    whole = tree.nodes(rows, merged)
    check_tree(whole.children, len(merged))
    whole_paths, _ = paths(whole.children)
    for token in OLD.tokens:
        expected = [
            (initial.nodes.vectors[n, 0] + (100 if n in decided else 0), code)
            for n, code in old_paths[OLD.token_to_id[token]]
        ]
        got = [(whole.vectors[n, 0], code) for n, code in whole_paths[merged.token_to_id[token]]]
        assert got[1:] == expected if new else got == expected
    for token in new:
        path = whole_paths[merged.token_to_id[token]]
        assert path[0][1] == 1
        assert all(whole.vectors[n, 0] == 100 for n, _ in path[1:])


def test_nodes_are_saved_and_training_continues_from_them(trained, tmp_path):
    save_vectors(trained, tmp_path / "v.safetensors")
    loaded = load_vectors(tmp_path / "v.safetensors")
    np.testing.assert_array_equal(loaded.nodes.vectors, trained.nodes.vectors)
    np.testing.assert_array_equal(loaded.nodes.children, trained.nodes.children)
    assert load_vectors(tmp_path / "v.safetensors", limit=3).nodes is None
    still = continued(loaded, learning_rate=1e-12, min_learning_rate=0).vectors
    np.testing.assert_allclose(still.nodes.vectors, trained.nodes.vectors, atol=1e-7)
    np.testing.assert_array_equal(still.nodes.children, trained.nodes.children)
    without = load_vectors(tmp_path / "v.safetensors")
    without.nodes = None
    slow = {"learning_rate": 1e-3}
    assert continued(loaded, **slow).losses[0] < continued(without, **slow).losses[0] - 0.1
    assert continued(loaded).vectors.nodes.vectors.tobytes() == continued(trained).vectors.nodes.vectors.tobytes()


def test_a_new_text_adds_words_and_keeps_the_other_nodes(trained, caplog):
    caplog.set_level("INFO", logger="wordvec")
    found = continued(trained, ["the fox ate the mat", "an emu ate the cat"] * 30).vectors
    assert "3 of 7 words continue from existing vectors\n" in caplog.text
    assert (len(found), len(found.nodes.vectors)) == (10, 9)
    check_tree(found.nodes.children, 10)
    again = continued(found, TEXTS).vectors
    assert (len(again), len(again.nodes.vectors)) == (10, 9)
    assert continued(trained, TEXTS, loss="negative").vectors.nodes is None


@pytest.mark.parametrize(
    ("children", "message"),
    [
        ([[0, 1], [2, 4]], "two children each"),
        ([[0, 1], [0, 3]], "two children each"),
        ([[0, 1], [2, -1]], "two children each"),
        ([[0, 1], [1, 2]], "two children each"),
        ([[0, 1], [3, 3]], "two children each"),
        ([], "two children each"),
    ],
)
def test_what_is_no_tree_is_rejected(trained, children, message, tmp_path):
    bad = np.array(children, np.int32).reshape(-1, 2)
    with pytest.raises(InputError, match=message):
        check_tree(bad, 3)
    vectors = WordVectors(["a", "b", "c"], np.ones((3, 8)))
    vectors.nodes = NodeTable(np.ones((len(bad), 8), np.float32), bad)
    with pytest.raises(InputError, match=message):
        continued(vectors)
    save_vectors(vectors, tmp_path / "v.safetensors")
    with pytest.raises(FormatError, match=message):
        load_vectors(tmp_path / "v.safetensors")


def test_a_tree_too_deep_or_not_finite_is_rejected():
    words = 600
    chain = np.array([[0, 1], *([k, words + k - 2] for k in range(2, words))], np.int32)
    with pytest.raises(InputError, match="its tree must have at most 500 levels"):
        check_tree(chain, words)
    vectors = WordVectors(["a", "b"], np.ones((2, 8)))
    vectors.nodes = NodeTable(np.full((1, 8), np.nan, np.float32), np.array([[0, 1]], np.int32))
    with pytest.raises(InputError, match="must be finite; their file is damaged"):
        continued(vectors)
