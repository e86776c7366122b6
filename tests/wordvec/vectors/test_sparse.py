"""Sparse word vectors: comparison with dense ones of the same values, and files."""

import copy
import json
import pickle
from dataclasses import asdict

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save
from scipy.sparse import csr_array

from cli.main import wordvec as command
from tests.cases.word2vec import random_corpus, wraps_around
from wordvec import (
    CooccurrenceSettings,
    FormatError,
    InputError,
    SparseWordVectors,
    UnknownTokenError,
    WordVectors,
    count_cooccurrences,
    evaluate_analogies,
    evaluate_similarity,
    load_vectors,
    save_vectors,
)
from wordvec.count_based.sparse_models import weighted_vectors
from wordvec.formats.registry import describe
from wordvec.formats.safetensors import pack_tokens

pytestmark = wraps_around


@pytest.fixture(scope="module")
def sparse():
    found = count_cooccurrences(random_corpus([300, 0, 1, 90], types=40), CooccurrenceSettings(3), threads=1)
    return weighted_vectors(found)


@pytest.fixture(scope="module")
def dense(sparse):
    """Return the same vectors in dense form."""
    return WordVectors(sparse.vocabulary, sparse.matrix.toarray())


def assert_same_answers(found, expected):
    assert [token for token, _ in found] == [token for token, _ in expected]
    np.testing.assert_allclose([score for _, score in found], [score for _, score in expected], atol=1e-12)


# -- queries ----------------------------------------------------------------------------------------------------------


def test_attributes_and_repr(sparse):
    assert (len(sparse), sparse.vector_size, sparse.matrix.shape) == (40, 40, (40, 40))
    assert 0 < sparse.matrix.nnz < 1600
    assert sparse.settings == {
        "model": "sparse",
        "weighting": "ppmi",
        "smoothing": 0.75,
        "shift": 1.0,
        "cooccurrence": asdict(CooccurrenceSettings(window=3)),
    }
    assert repr(sparse) == f"<SparseWordVectors of 40 tokens x 40, {sparse.matrix.nnz:,} numbers>"
    assert "t3" in sparse
    assert "t40" not in sparse
    assert (list(sparse), sparse.counts is sparse.vocabulary.counts) == (sparse.tokens, True)


def test_word_vectors_are_matrix_rows(sparse, dense):
    assert np.array_equal(sparse["t3"], dense["t3"])
    assert np.array_equal(sparse[["t3", "t0"]], dense[["t3", "t0"]])
    assert sparse["t3"].dtype == np.float32
    assert sparse["t3"].any()


def test_similarities_are_cosines(sparse, dense):
    np.testing.assert_allclose(sparse.similarities("t5"), dense.similarities("t5"), atol=1e-12)
    np.testing.assert_allclose(sparse.similarities("t5", ["t1", "t9"]), dense.similarities("t5", ["t1", "t9"]))
    assert sparse.similarity("t5", "t1") == pytest.approx(dense.similarity("t5", "t1"))
    assert sparse.similarity("t5", "t5") == pytest.approx(1)
    assert sparse.distance("t5", "t1") == pytest.approx(1 - sparse.similarity("t5", "t1"))
    assert len(set(sparse.similarities("t5").tolist())) > 20


@pytest.mark.parametrize("piece", [1, 30, 1 << 18])
def test_neighbors_match_dense_vectors(sparse, dense, piece, monkeypatch):
    monkeypatch.setattr("wordvec.system.csr.PIECE", piece)
    monkeypatch.setattr("wordvec.vectors.sparse._AT_ONCE", 3)
    assert_same_answers(sparse.most_similar("t2"), dense.most_similar("t2"))
    words = [token for token in dense if dense[token].any()]
    found, expected = sparse.most_similar_batch(words, 3), dense.most_similar_batch(words, 3)
    assert len(found) == len(words) > 30
    for one, other in zip(found, expected, strict=True):
        assert_same_answers(one, other)
    assert sparse.most_similar_batch(["t2", "t7"], 4)[1] == sparse.most_similar("t7", top=4)


@pytest.mark.parametrize("method", ["add", "mul"])
@pytest.mark.parametrize("restrict", [None, 20, ["t30", "t8", "t2", "t5"]])
def test_analogies_match_dense_vectors(sparse, dense, method, restrict):
    found = sparse.analogy("t1", "t2", "t3", 5, method, restrict=restrict)
    assert_same_answers(found, dense.analogy("t1", "t2", "t3", 5, method, restrict=restrict))
    assert found


def test_queries_of_several_words(sparse, dense):
    words = ["t1", "t4", "t6", "t11"]
    np.testing.assert_allclose(sparse.mean_vector(words), dense.mean_vector(words), atol=1e-7)
    assert sparse.odd_one_out(words) == dense.odd_one_out(words)
    assert sparse.closer_than("t1", "t4") == dense.closer_than("t1", "t4")
    assert sparse.rank("t1", "t4") == dense.rank("t1", "t4")
    assert_same_answers(sparse.similar_by_vector(dense["t4"], 3), dense.similar_by_vector(dense["t4"], 3))


def test_a_zero_row_has_similarity_zero():
    wv = SparseWordVectors(["a", "b", "c"], csr_array(np.array([[1.0, 0], [0, 0], [2, 2]])))
    assert wv.similarities("a").round(4).tolist() == [1, 0, 0.7071]
    assert wv.similarity("b", "b") == 0
    with pytest.raises(InputError, match="has no direction"):
        wv.most_similar("b")


def test_unknown_words_and_invalid_queries_are_rejected(sparse):
    with pytest.raises(UnknownTokenError, match="'none' is not in the vocabulary"):
        sparse.most_similar("none")
    with pytest.raises(InputError, match="top must be at least 1"):
        sparse.most_similar("t1", top=0)


@pytest.mark.parametrize("ask", [lambda wv: wv.vectors, lambda wv: wv.unit_vectors])
def test_operations_that_need_dense_vectors_are_rejected(sparse, ask):
    with pytest.raises(InputError, match="needs dense vectors; train them with train-embeddings --model svd, or glove"):
        ask(sparse)


def test_evaluations_match_dense_vectors(sparse, dense, tmp_path):
    random = np.random.default_rng(1)
    pairs, questions = tmp_path / "pairs.tsv", tmp_path / "questions.txt"
    random_pairs = zip(*random.integers(0, 45, (2, 50)), random.random(50), strict=True)
    lines = [f"t{a}\tt{b}\t{score:.3f}" for a, b, score in random_pairs]
    pairs.write_text("\n".join(lines))
    found, expected = evaluate_similarity(sparse, pairs), evaluate_similarity(dense, pairs)
    assert (found.covered, found.spearman) == (expected.covered, pytest.approx(expected.spearman))
    asked = []
    for a, b, c in random.integers(0, 40, (200, 3)).tolist():
        best = dense.analogy(f"t{a}", f"t{b}", f"t{c}", 1)[0][0] if len({a, b, c}) == 3 else "t1"
        asked.append(f"t{a} t{b} t{c} {best}")
    questions.write_text("\n".join(asked))
    for method in ("add", "mul"):
        found, expected = (evaluate_analogies(wv, questions, method=method) for wv in (sparse, dense))
        assert found == expected
        assert 0 < found.total.right < found.total.asked


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.zeros((2, 2)), "matrix must be sparse, in CSR format, got ndarray"),
        (csr_array((3, 2)), r"matrix must have 2 rows, one per token, got shape \(3, 2\)"),
        (csr_array(np.array([[1, np.nan], [0, 0]])), "matrix must hold finite numbers, got nan at position 1"),
    ],
)
def test_invalid_matrices_are_rejected(matrix, message):
    with pytest.raises(InputError, match=message):
        SparseWordVectors(["a", "b"], matrix)


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def path(sparse, tmp_path):
    path = tmp_path / "sparse.safetensors"
    save_vectors(sparse, path)
    return path


def test_files_store_everything(sparse, path, tmp_path):
    loaded = load_vectors(path)
    assert isinstance(loaded, SparseWordVectors)
    assert loaded.vocabulary == sparse.vocabulary
    assert (loaded.tokenizer, loaded.lowercase, loaded.settings) == ("whitespace", False, sparse.settings)
    for name in ("data", "indices", "indptr"):
        assert np.array_equal(getattr(loaded.matrix, name), getattr(sparse.matrix, name))
        assert getattr(loaded.matrix, name).dtype == getattr(sparse.matrix, name).dtype
    assert loaded.most_similar("t2") == sparse.most_similar("t2")
    loaded.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_limit_reads_only_the_first_rows(sparse, path):
    loaded = load_vectors(path, limit=7)
    assert (len(loaded), loaded.vector_size) == (7, 40)
    assert np.array_equal(loaded.matrix.toarray(), sparse.matrix.toarray()[:7])
    assert loaded.similarity("t1", "t5") == sparse.similarity("t1", "t5")


def test_describe_returns_metadata(sparse, path):
    about = describe(path)
    assert (about["kind"], about["tokens"], about["vector_size"]) == ("sparse vectors", 40, 40)
    assert about["numbers"] == sparse.matrix.nnz
    assert about["about"]["settings"] == sparse.settings


@pytest.mark.parametrize("name", ["v.txt", "v.vec", "v.bin"])
def test_other_formats_are_rejected_with_a_remedy(sparse, tmp_path, name):
    with pytest.raises(
        InputError, match=r"does not support sparse vectors .* save as \.safetensors or train dense vectors"
    ):
        sparse.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_copies_give_the_same_results(sparse):
    for twin in (pickle.loads(pickle.dumps(sparse)), copy.deepcopy(sparse)):
        assert twin.most_similar("t2") == sparse.most_similar("t2")
        with pytest.raises(ValueError, match="read-only"):
            twin.matrix.data[0] = 1


DAMAGE = {
    "decreasing indptr": ({"indptr": [0, 2, 1]}, {}, "indptr must increase"),
    "indptr from 1": ({"indptr": [1, 2, 3]}, {}, "indptr must increase"),
    "indptr too large": ({"indptr": [0, 2, 4]}, {}, "indptr must increase"),
    "unused numbers": ({"indptr": [0, 1, 2]}, {}, "indptr must increase"),
    "wrapping indptr": ({"indptr": [0, 2**63 - 1, -5, 3]}, {}, "indptr must increase from 0 to 3, got -5 after 9,223,"),
    "empty indptr": ({"indptr": []}, {}, "indptr must have an offset per row and one more, got 0"),
    "decreasing columns": ({"indices": [1, 0, 0]}, {}, "column indices of a row must be ascending"),
    "duplicate column": ({"indices": [1, 1, 0]}, {}, "column indices of a row must be ascending"),
    "column too large": ({"indices": [0, 3, 0]}, {}, r"indices must be in 0\.\.2, got 3 at position 1"),
    "negative column": ({"indices": [-1, 1, 0]}, {}, r"indices must be in 0\.\.2, got -1 at position 0"),
    "too few indices": ({"indices": [0, 1]}, {}, r"'indices' must have shape \(3,\), got \(2,\)"),
    "not finite": ({"data": [1, np.inf, 1]}, {}, "matrix must hold finite numbers, got inf"),
    "no columns": ({}, {"columns": None}, "'columns' in its metadata must be an integer"),
    "a later version": ({}, {"version": 2}, "version must be 1, got 2; it was written by a newer release"),
    "no tokenizer": ({}, {"tokenizer": None}, "must contain 'tokenizer' as str"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_rejected(tmp_path, damage):
    arrays, metadata, message = DAMAGE[damage]
    rows = len(arrays.get("indptr", [0, 2, 3])) - 1
    token_bytes, token_offsets = pack_tokens(list("abc"[: max(rows, 0)]))
    tensors = {
        "data": np.array(arrays.get("data", [1, 2, 3]), np.float32),
        "indices": np.array(arrays.get("indices", [0, 2, 1]), np.int32),
        "indptr": np.array(arrays.get("indptr", [0, 2, 3]), np.int64),
        "token_bytes": token_bytes,
        "token_offsets": token_offsets[: rows + 1],
    }
    about = {"kind": "sparse vectors", "version": 1, "columns": 3, "tokenizer": "words", "lowercase": True}
    about |= {"settings": {}, **metadata}
    path = tmp_path / "v.safetensors"
    path.write_bytes(save(tensors, {"wordvec": json.dumps(about)}))
    with pytest.raises(FormatError, match=message):
        load_vectors(path)


# -- the command line -------------------------------------------------------------------------------------------------


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_commands_query_sparse_files(sparse, path):
    near = run("neighbors", path, "t2", "--top", 2)
    assert near.exit_code == 0
    assert near.output.split() == [
        each for token, score in sparse.most_similar("t2", top=2) for each in (token, f"{score:.4f}")
    ]
    assert run("similarity", path, "t2", "t3").output == f"{sparse.similarity('t2', 't3'):.4f}\n"
    assert "numbers: " in run("info", path).output
    assert run("odd-one-out", path, "t1", "t4", "t6").exit_code == 0


def test_converting_to_text_is_rejected_in_one_line(path, tmp_path):
    result = run("convert", path, tmp_path / "v.txt")
    assert result.exit_code == 1
    assert "format text does not support sparse vectors (40 columns)" in result.output
    assert result.output.count("\n") == 1
