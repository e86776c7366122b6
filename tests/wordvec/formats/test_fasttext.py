"""fastText models: reading every layout, writing, damage."""

import struct

import numpy as np
import pytest

from wordvec import FormatError, WordVectors, load_vectors, save_vectors
from wordvec.formats.fasttext import MAGIC
from wordvec.formats.ngrams import fnv_hash, ngram_rows
from wordvec.formats.registry import describe
from wordvec.formats.table import NodeTable, SubwordTable
from wordvec.system.huffman import tree_paths
from wordvec.vectors.subwords import SubwordVectors
from wordvec.vocabulary import Vocabulary

WORDS, DIM, BUCKETS = ["the", "über", "</s>"], 5, 30
HEAD = struct.Struct("<12id")


def table(buckets=None, rows=BUCKETS):
    random = np.random.default_rng(3)
    words, ngrams = (random.standard_normal((n, DIM)).astype(np.float32) for n in (len(WORDS), rows))
    return SubwordTable(2, 3, BUCKETS, words, ngrams, buckets)


@pytest.fixture
def model():
    contexts = np.arange(len(WORDS) * DIM, dtype=np.float32).reshape(-1, DIM)
    return SubwordVectors(Vocabulary(WORDS, [9, 4, 2]), table(), context_vectors=contexts)


@pytest.fixture
def path(model, tmp_path):
    path = tmp_path / "model.bin"
    save_vectors(model, path, format="fasttext")
    return path


def entries():
    counts = zip(WORDS, [9, 4, 2], strict=True)
    return b"".join(word.encode() + b"\0" + struct.pack("<qb", count, 0) for word, count in counts)


def dense(matrix):
    return struct.pack("<qq", *matrix.shape) + np.ascontiguousarray(matrix, "<f4").tobytes()


def arguments(kind=2, max_n=3):
    return HEAD.pack(DIM, 5, 5, 1, 5, 1, 2, kind, BUCKETS, 2, max_n, 100, 1e-3)


def test_empty_and_repeated_words_are_skipped(model, path, caplog):
    data = path.read_bytes()
    assert data.count(b"the\0") == 1
    path.write_bytes(data.replace(b"the\0", b"\0"))
    found = load_vectors(path)
    assert (found.tokens, found.counts.tolist()) == (WORDS[1:], [4, 2])
    np.testing.assert_array_equal(found.vectors, model.vectors[1:])
    np.testing.assert_array_equal(found.context_vectors, model.context_vectors[1:])
    np.testing.assert_array_equal(found["unseen"], model["unseen"])
    path.write_bytes(data.replace("über\0".encode(), b"the\0"))
    assert load_vectors(path).tokens == ["the", "</s>"]
    assert caplog.text.count("skipped 1 empty or repeated tokens") == 2


def test_a_written_model_is_read_back(model, path):
    found = load_vectors(path)
    assert (found.tokens, found.counts.tolist()) == (WORDS, [9, 4, 2])
    np.testing.assert_array_equal(found.vectors, model.vectors)
    np.testing.assert_array_equal(found.context_vectors, model.context_vectors)
    np.testing.assert_array_equal(found["unseen"], model["unseen"])
    np.testing.assert_array_equal(found["</s>"], model.subwords.word_vectors[2])  # it has no n-grams
    assert {name: describe(path)[name] for name in ("format", "tokens", "vector_size")} == {
        "format": "fasttext", "tokens": 3, "vector_size": DIM,
    }  # fmt: skip
    assert len(load_vectors(path, limit=2)) == 2


def test_a_model_that_is_read_and_written_is_the_same_file(path, tmp_path):
    tokens = path.read_bytes().index(struct.pack("<iiiq", 3, 3, 0, 15)) + 12
    path.write_bytes(path.read_bytes()[:tokens] + struct.pack("<q", 20) + path.read_bytes()[tokens + 8 :])
    vectors = load_vectors(path)  # of a text of 20 tokens, 5 of them rare
    assert vectors.origin == {"raw_tokens": 20}
    save_vectors(vectors, tmp_path / "again.bin", format="fasttext")
    assert (tmp_path / "again.bin").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("origin", "expected"),
    [({"min_count": 3, "raw_tokens": 40}, (3, 40)), ({"min_count": "x", "raw_tokens": -1}, (1, 15)), ({}, (1, 15))],
)
def test_a_model_records_the_text_that_it_was_trained_on(model, tmp_path, origin, expected):
    model.origin = origin
    save_vectors(model, tmp_path / "m.bin", format="fasttext")
    data = (tmp_path / "m.bin").read_bytes()
    assert (HEAD.unpack_from(data, 8)[3], struct.unpack_from("<iiiq", data, 8 + HEAD.size)[3]) == expected


def test_buckets_without_a_row_are_written_as_zeros(tmp_path):
    few = SubwordVectors(WORDS, table(np.array([3, 4, 29], np.int32), 3))
    save_vectors(few, tmp_path / "few.bin", format="fasttext")
    found = load_vectors(tmp_path / "few.bin")
    assert len(found.subwords.ngram_vectors) == BUCKETS
    assert np.flatnonzero(found.subwords.ngram_vectors.any(axis=1)).tolist() == [3, 4, 29]
    np.testing.assert_allclose(found.vectors, few.vectors, atol=1e-7)


def test_plain_vectors_become_a_model_without_ngrams(tmp_path):
    plain = WordVectors(WORDS, table().word_vectors)
    save_vectors(plain, tmp_path / "plain.bin", format="fasttext")
    found = load_vectors(tmp_path / "plain.bin")
    assert type(found) is WordVectors
    np.testing.assert_array_equal(found.vectors, plain.vectors)


def test_settings_that_are_no_numbers_are_left_out(tmp_path):
    plain = WordVectors(["up", "down"], [[1, 2], [3, 4]], settings={"subsample": None, "window": "5"})
    save_vectors(plain, tmp_path / "m.bin", format="fasttext")
    settings = load_vectors(tmp_path / "m.bin").settings
    assert (settings["subsample"], settings["window"]) == (1e-3, 5)


def test_full_softmax_keeps_its_context_vectors(model, tmp_path):
    model.settings |= {"loss": "softmax", "model": "cbow"}
    save_vectors(model, tmp_path / "m.bin", format="fasttext")
    found = load_vectors(tmp_path / "m.bin")
    assert (found.settings["loss"], found.settings["model"]) == ("softmax", "cbow")
    np.testing.assert_array_equal(found.context_vectors, model.context_vectors)


def with_nodes(children, counts=(9, 4, 2)):
    vectors = WordVectors(Vocabulary(WORDS, counts), table().word_vectors)
    vectors.settings |= {"loss": "hierarchical", "model": "skipgram"}
    vectors.nodes = NodeTable(np.arange(2 * DIM, dtype=np.float32).reshape(2, DIM) + 1, np.array(children, np.int32))
    return vectors


# The tree of 9, 4, 2, code 0 first or last. In fastText, a node predicts code 1.
@pytest.mark.parametrize(("children", "sign"), [([[2, 1], [3, 0]], -1), ([[1, 2], [0, 3]], 1)])
def test_hierarchical_softmax_keeps_its_nodes(children, sign, tmp_path):
    vectors = with_nodes(children)
    save_vectors(vectors, tmp_path / "m.bin", format="fasttext")
    outputs = np.frombuffer((tmp_path / "m.bin").read_bytes()[-3 * DIM * 4 :], "<f4").reshape(3, DIM)
    np.testing.assert_array_equal(outputs, [*(sign * vectors.nodes.vectors), np.zeros(DIM)])
    found = load_vectors(tmp_path / "m.bin")
    assert (found.settings["loss"], found.context_vectors) == ("hierarchical", None)
    for node, expected in zip(paths_of(found.nodes), paths_of(vectors.nodes), strict=True):
        np.testing.assert_array_equal(node, expected)
    assert load_vectors(tmp_path / "m.bin", limit=2).nodes is None


def paths_of(nodes):
    """The vectors on the path of each word, negative where it takes code 1."""
    tree = tree_paths(nodes.children)
    return [
        nodes.vectors[tree.nodes[start:end]] * (1.0 - 2 * tree.codes[start:end, None])
        for start, end in zip(tree.offsets[:-1], tree.offsets[1:], strict=True)
    ]


@pytest.mark.parametrize(
    ("children", "counts"), [([[0, 1], [3, 2]], (9, 4, 2)), ([[2, 1], [3, 0]], (2, 4, 9)), ([[2, 1], [3, 0]], None)]
)
def test_nodes_of_another_tree_are_written_as_zeros(children, counts, tmp_path, caplog):
    save_vectors(with_nodes(children, counts), tmp_path / "m.bin", format="fasttext")
    assert ("its nodes are written as zeros" in caplog.text) == (counts is not None)
    found = load_vectors(tmp_path / "m.bin")
    assert found.settings["loss"] == "hierarchical"
    assert found.nodes is None if counts == (2, 4, 9) else not found.nodes.vectors.any()


def test_the_old_layout_is_read(model, tmp_path):
    rows = np.concatenate([model.subwords.word_vectors, model.subwords.ngram_vectors])
    sizes = struct.pack("<iiiq", 3, 3, 0, 15)
    path = tmp_path / "old.bin"
    path.write_bytes(arguments() + sizes + entries() + dense(rows) + dense(model.context_vectors))
    found = load_vectors(path)
    np.testing.assert_array_equal(found.vectors[:2], model.vectors[:2])
    # There, the end of a sentence has n-grams as any word: of two and three characters.
    ngrams = ["<<", "<</", "</", "</s", "/s", "/s>", "s>", "s>>", ">>"]
    own = [fnv_hash(ngram.encode()) % BUCKETS for ngram in ngrams]
    expected = np.vstack([model.subwords.word_vectors[2], model.subwords.ngram_vectors[own]]).mean(axis=0)
    np.testing.assert_allclose(found["</s>"], expected, atol=1e-6)
    save_vectors(found, tmp_path / "new.bin", format="fasttext")
    np.testing.assert_array_equal(load_vectors(tmp_path / "new.bin").vectors, found.vectors)


def test_a_pruned_quantized_model_is_read(model, tmp_path):
    """Two parts of three and two numbers; norms quantized on their own; the rows of buckets 7 and 4 kept."""
    random = np.random.default_rng(5)
    rows, kept = 5, {7: 0, 4: 1}
    centroids = random.standard_normal(256 * DIM).astype("<f4")
    norms, codes, norm_codes = random.random(256).astype("<f4"), random.integers(0, 256, (rows, 2)), [3, 1, 4, 1, 5]
    first, second = centroids[: 256 * 3].reshape(256, 3), centroids[256 * 3 :].reshape(256, 2)
    whole = np.concatenate([first[codes[:, 0]], second[codes[:, 1]]], axis=1) * norms[norm_codes][:, None]
    quantized = (
        struct.pack("<Bqqi", 1, rows, DIM, 2 * rows) + codes.astype("u1").tobytes()
        + struct.pack("<4i", DIM, 2, 3, 2) + centroids.tobytes() + bytes(norm_codes)
        + struct.pack("<4i", 1, 1, 1, 1) + norms.tobytes()
    )  # fmt: skip
    path = tmp_path / "model.ftz"
    path.write_bytes(
        struct.pack("<ii", MAGIC, 12) + arguments() + struct.pack("<iiiqq", 3, 3, 0, 15, 2) + entries()
        + struct.pack("<4i", *(number for pair in kept.items() for number in pair))
        + b"\1" + quantized + b"\0" + dense(model.context_vectors)
    )  # fmt: skip
    found = load_vectors(path)
    assert found.subwords.ngram_buckets.tolist() == [4, 7]
    np.testing.assert_allclose(found.subwords.word_vectors, whole[:3], rtol=1e-6)
    np.testing.assert_allclose(found.subwords.ngram_vectors, whole[[4, 3]], rtol=1e-6)
    _, of_words = ngram_rows(found.subwords, ["über"])
    assert (of_words >= 0).all()  # removed n-grams do not count
    expected = (whole[1] + whole[[4, 3]][of_words].sum(axis=0)) / (1 + len(of_words))
    np.testing.assert_allclose(found["über"], expected, rtol=1e-5, atol=1e-7)


def test_supervised_models_of_version_11_have_no_ngrams(model, tmp_path):
    path = tmp_path / "model.bin"
    rows = np.concatenate([model.subwords.word_vectors, np.zeros((BUCKETS, DIM))])
    path.write_bytes(
        struct.pack("<ii", MAGIC, 11) + arguments(kind=3) + struct.pack("<iiiqq", 3, 3, 0, 15, -1) + entries()
        + b"\0" + dense(rows) + b"\0" + dense(np.zeros((2, DIM)))
    )  # fmt: skip
    found = load_vectors(path)
    assert (type(found), found.context_vectors) == (WordVectors, None)
    np.testing.assert_array_equal(found.vectors, model.subwords.word_vectors)


def test_every_truncation_is_an_error(path, tmp_path):
    data = path.read_bytes()
    cut = tmp_path / "cut.bin"
    for size in range(8, len(data), 7):
        cut.write_bytes(data[:size])
        with pytest.raises(FormatError, match=r"damaged|truncated|declare"):
            load_vectors(cut)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (4, 99, "version of a fastText model must be 11 or 12, got 99"),
        (8, -1, "its arguments are invalid"),
        (8 + 7 * 4, 9, "its arguments are invalid"),
        (8 + 8 * 4, -5, "its n-grams are"),
        (8 + HEAD.size, 2_000_000_000, "its dictionary declares"),
        (8 + HEAD.size + 4, -3, "its dictionary declares"),
    ],
)
def test_hostile_sizes_are_rejected(at, value, message, path):
    data = bytearray(path.read_bytes())
    data[at : at + 4] = struct.pack("<i", value)
    path.write_bytes(data)
    with pytest.raises(FormatError, match=message):
        load_vectors(path)
