"""``wordvec documents``: options, files, reused features and invalid input."""

import gzip
import inspect
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.sparse import load_npz
from sklearn.feature_extraction import text as sklearn_text

from cli import main
from wordvec import (
    CountVectorizer,
    TfidfVectorizer,
    Vocabulary,
    count_documents,
    load_documents,
    load_vocabulary,
    save_documents,
)
from wordvec.errors import FormatError, InputError
from wordvec.formats.documents import DocumentMatrix
from wordvec.kernels.simd import JIT_OFF

TEXTS = ["To be or not to be", "", "that is the question to be", "b", "To be, the b"]
NEW = ["not to be", "", "never the b b"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("corpus.txt").write_text("\n".join(TEXTS) + "\n")
    Path("new.txt").write_text("\n".join(NEW) + "\n")
    return tmp_path


def invoke(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.wordvec, ["documents", *map(str, arguments)], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


# -- parity with the library ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ([], {}),
        (["--ngram-range", 1, 3, "--dtype", "float32"], {"ngram_range": (1, 3), "dtype": np.float32}),
        (["--min-df", 2, "--max-df", "0.6"], {"min_df": 2, "max_df": 0.6}),
        (["--min-count", 2, "--max-features", 2, "--binary"], {"min_count": 2, "max_features": 2, "binary": True}),
        (["--tokenizer", "words", "--lowercase"], {"tokenizer": "words", "lowercase": True}),
    ],
)
def test_counts_match_the_library(options, parameters):
    model = CountVectorizer(**parameters)
    expected = model.fit_transform(TEXTS)
    result = invoke("count", "corpus.txt", "-o", "matrix.npz", *options)
    found = load_documents("matrix.npz")
    assert found.vocabulary == model.vocabulary_
    assert found.idf is None
    for matrix in (found.matrix, load_npz("matrix.npz")):
        assert matrix.dtype == expected.dtype
        np.testing.assert_array_equal(matrix.toarray(), expected.toarray())
    line = f"matrix.npz: 5 documents x {expected.shape[1]} features, {expected.nnz} nonzero entries\n"
    assert (result.stdout, result.stderr) == ("", line)


@pytest.mark.parametrize(
    ("options", "parameters"),
    [
        ([], {}),
        (["--idf", "textbook", "--norm", "none"], {"idf": "textbook", "norm": None}),
        (["--idf", "plain", "--norm", "l1", "--sublinear-tf"], {"idf": "plain", "norm": "l1", "sublinear_tf": True}),
        (["--dtype", "float32", "--ngram-range", 2, 2], {"dtype": np.float32, "ngram_range": (2, 2)}),
    ],
)
def test_weights_match_the_library_also_for_new_texts(options, parameters):
    model = TfidfVectorizer(**parameters)
    expected = model.fit_transform(TEXTS)
    dtype = [*options, "--dtype", "float64"][[*options, "--dtype"].index("--dtype") :][:2]
    invoke("tfidf", "corpus.txt", "-o", "matrix.npz", *options)
    invoke("tfidf", "new.txt", "-o", "new.npz", "--like", "matrix.npz", *dtype)
    for name, rows in (("matrix.npz", expected), ("new.npz", model.transform(NEW))):
        found = load_documents(name)
        assert found.vocabulary == model.vocabulary_
        np.testing.assert_array_equal(found.idf, model.idf_)
        np.testing.assert_array_equal(found.matrix.toarray(), rows.toarray())


def test_defaults_match_the_library():
    group = main.wordvec.get_command(None, "documents")
    for name, kind in (("count", CountVectorizer), ("tfidf", TfidfVectorizer)):
        given = group.commands[name].make_context(name, ["corpus", "-o", "matrix"]).params
        library = {name: p.default for name, p in inspect.signature(kind).parameters.items()}
        given["dtype"] = np.dtype(given["dtype"]).type
        for name in ("n_jobs", "norm", "stop_words", "analyzer", "token_pattern", "preprocessor", "strip_accents"):
            library.pop(name, None)
        for name in ("input", "encoding", "decode_error"):  # the command reads text
            del library[name]
        assert {name: given[name] for name in library} == library


def test_columns_in_alphabetical_order():
    invoke("count", "corpus.txt", "-o", "matrix.npz", "--order", "name", "--ngram-range", 1, 2)
    found = load_documents("matrix.npz")
    assert found.vocabulary.tokens == sorted(found.vocabulary.tokens)
    expected = CountVectorizer(order="name", ngram_range=(1, 2)).fit_transform(TEXTS)
    np.testing.assert_array_equal(found.matrix.toarray(), expected.toarray())


def test_like_reuses_the_features_of_a_matrix():
    invoke("tfidf", "corpus.txt", "-o", "matrix.npz", "--ngram-range", 1, 2, "--lowercase")
    invoke("count", "new.txt", "-o", "new.npz", "--like", "matrix.npz")
    model = CountVectorizer(ngram_range=(1, 2), lowercase=True).fit(TEXTS)
    np.testing.assert_array_equal(load_documents("new.npz").matrix.toarray(), model.transform(NEW).toarray())


@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 2)])
def test_words_are_dropped_as_scikit_learn_drops_stop_words(ngram_range):
    stop_words = ["to", "the"]
    Path("stop.txt").write_text("to\nTHE\n")
    invoke(
        "count", "corpus.txt", "-o", "m.npz", "--ngram-range", *ngram_range, "--lowercase", "--drop-words", "stop.txt"
    )
    invoke("count", "new.txt", "-o", "new.npz", "--like", "m.npz")
    model = sklearn_text.CountVectorizer(token_pattern=r"\S+", ngram_range=ngram_range, stop_words=stop_words)
    for file, expected in (("m.npz", model.fit_transform(TEXTS)), ("new.npz", model.transform(NEW))):
        found = load_documents(file)
        columns = [model.vocabulary_[feature] for feature in found.vocabulary.tokens]
        assert len(columns) == expected.shape[1]
        np.testing.assert_array_equal(found.matrix.toarray(), expected.toarray()[:, columns])


# -- files ------------------------------------------------------------------------------------------------------------


def test_vocabulary_is_saved_and_reused():
    invoke("count", "corpus.txt", "-o", "matrix.npz", "--save-vocabulary", "words.txt", "--min-count", 2)
    vocabulary = load_vocabulary("words.txt")
    assert vocabulary == load_documents("matrix.npz").vocabulary
    invoke("tfidf", "new.txt", "-o", "new.npz", "--vocabulary", "words.txt", "--norm", "none")
    found = load_documents("new.npz")
    assert found.vocabulary == vocabulary
    expected = TfidfVectorizer(vocabulary=vocabulary, norm=None).fit_transform(NEW)
    np.testing.assert_array_equal(found.matrix.toarray(), expected.toarray())


@pytest.mark.parametrize("threads", [1, 3])
def test_output_is_deterministic(threads, monkeypatch):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    invoke("tfidf", "corpus.txt", "-o", "first.npz")
    invoke("tfidf", "corpus.txt", "-o", "second.npz", "--threads", threads, "-q")
    assert Path("first.npz").read_bytes() == Path("second.npz").read_bytes()
    invoke("tfidf", "corpus.txt", "-o", "small.npz", "--compress")
    assert (load_npz("small.npz") != load_npz("first.npz")).nnz == 0


def test_compressed_standard_and_multiple_input():
    Path("corpus.txt.gz").write_bytes(gzip.compress(Path("corpus.txt").read_bytes()))
    invoke("count", "corpus.txt", "corpus.txt.gz", "-o", "matrix.npz")
    assert load_npz("matrix.npz").shape[0] == 10
    invoke("count", "-", "-o", "matrix.npz", input="a b\n\nb\n")
    assert load_npz("matrix.npz").toarray().tolist() == [[1, 1], [0, 0], [1, 0]]


@pytest.mark.skipif(JIT_OFF, reason="100,000 lines are slow without compilation")
def test_sample_corpus_is_counted():
    invoke("count", "sample:english", "-o", "matrix.npz", "-q")
    found = load_documents("matrix.npz")
    assert found.matrix.sum() == found.vocabulary.counts.sum() > 10**6


# -- invalid input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["count", "nothere.txt"], 1, "nothere.txt: no such file"),
        (["count", "latin1.txt"], 1, "latin1.txt: byte 0xe9 at offset 1 is not UTF-8"),
        (["tfidf", "empty.txt"], 1, "no text has a word"),
        (["count", "corpus.txt", "--min-df", 4], 1, "relax the limits"),
        (["count", "corpus.txt", "--ngram-range", 3, 2], 2, "--ngram-range must be two whole numbers"),
        (["count", "corpus.txt", "--max-df", "many"], 2, "'many' is not a number"),
        (["count", "corpus.txt", "--max-df", "1.5"], 2, "--max-df must be an integer of at least 1 or a fraction"),
        (["tfidf", "corpus.txt", "--idf", "log"], 2, "'log' is not one of"),
        (["tfidf", "corpus.txt", "--dtype", "int64"], 2, "'int64' is not one of"),
        (["count", "corpus.txt", "--like", "corpus.txt"], 1, "corpus.txt is not an .npz file"),
        (["count", "corpus.txt", "--like", "nothere.npz"], 1, "nothere.npz cannot be read"),
        (["count", "corpus.txt", "--like", "counts.npz", "--lowercase"], 2, "leave out --lowercase"),
        (["count", "corpus.txt", "--vocabulary", "words.txt", "--min-df", "2"], 2, "leave out --min-df"),
        (
            ["count", "corpus.txt", "--vocabulary", "words.txt", "--drop-words", "words.txt"],
            2,
            "leave out --drop-words",
        ),
        (["count", "corpus.txt", "--like", "counts.npz", "--vocabulary", "words.txt"], 2, "leave out --vocabulary"),
        (["tfidf", "corpus.txt", "--like", "counts.npz"], 1, "counts.npz has no IDF weights"),
        (["count", "corpus.txt", "--ngram-range", 1, 2, "--save-vocabulary", "w"], 2, "saves only single words"),
        (["count", "corpus.txt", "--save-vocabulary", "nowhere/w"], 1, "nowhere does not exist"),
    ],
)
def test_bad_input_is_a_one_line_error_and_changes_no_file(arguments, code, message):
    Path("latin1.txt").write_bytes(b"\x61\xe9 caf\n")
    Path("empty.txt").write_text("\n \n")
    Path("words.txt").write_text("to 3\n")
    save_documents(DocumentMatrix(*count_documents(TEXTS)), "counts.npz")
    Path("matrix.npz").write_bytes(b"previous content")
    before = sorted(path.name for path in Path().iterdir())
    error = invoke(*arguments, "-o", "matrix.npz", code=code).stderr
    assert message in error
    assert error.splitlines()[-1].startswith("Error: ")
    assert code == 2 or error.count("\n") == 1
    assert Path("matrix.npz").read_bytes() == b"previous content"
    assert sorted(path.name for path in Path().iterdir()) == before


def test_unwritable_target_is_reported_first():
    assert "nowhere does not exist" in invoke("count", "nothere.txt", "-o", "nowhere/m.npz", code=1).stderr


# -- matrix files -----------------------------------------------------------------------------------------------------


def test_matrix_file_round_trip():
    vocabulary = Vocabulary(["é b", "a\r", " "], None)
    matrix = CountVectorizer(vocabulary=vocabulary).fit_transform([["a\r", "a\r"], ["é b"]])
    save_documents(DocumentMatrix(matrix, vocabulary, np.array([1, 2, 3.5]), {"norm": "l1"}), "m.npz")
    found = load_documents("m.npz")
    assert (found.vocabulary.tokens, found.vocabulary.counts) == (["é b", "a\r", " "], None)
    assert (found.idf.tolist(), found.settings) == ([1, 2, 3.5], {"norm": "l1", "ngram_range": [1, 1]})
    assert found.matrix.toarray().tolist() == [[0, 2, 0], [1, 0, 0]]
    with pytest.raises(InputError, match="must not contain newlines"):
        save_documents(DocumentMatrix(matrix, Vocabulary(["a\n", "b", "c"])), "m.npz")


@pytest.mark.parametrize(
    "change",
    [
        {"features": np.frombuffer(b"a\nb\n", np.uint8)},
        {"features": np.frombuffer(b"\xff\nb\nc\n", np.uint8)},
        {"features": None},
        {"settings": np.frombuffer(b"[]", np.uint8)},
        {"settings": np.frombuffer(json.dumps({"ngram_range": 2}).encode(), np.uint8)},
        {"settings": np.frombuffer(json.dumps({"drop_words": "words.txt"}).encode(), np.uint8)},
        {"shape": np.array([2])},
        {"indices": np.array([0, 7, 1], np.int32)},
        {"indptr": np.array([0, 1, 2, 99], np.int32)},
        {"counts": np.array([1, -1, 1])},
        {"counts": np.array([1, 1])},
        {"idf": np.ones(2)},
        {"idf": np.array(["a", "b", "c"])},
        {"data": np.array([{}], object)},
    ],
)
def test_damaged_matrix_file_is_rejected(change):
    save_documents(DocumentMatrix(*count_documents(["a a b", "b c"])), "m.npz")
    with np.load("m.npz") as archive:
        arrays = {name: archive[name] for name in archive.files} | change
    np.savez("m.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(FormatError, match=r"m\.npz is .*damaged"):
        load_documents("m.npz")


def test_truncated_matrix_file_is_rejected():
    save_documents(DocumentMatrix(*count_documents(TEXTS)), "m.npz")
    whole = Path("m.npz").read_bytes()
    for size in (0, 3, 200, len(whole) - 1):
        Path("m.npz").write_bytes(whole[:size])
        with pytest.raises(FormatError, match=r"m\.npz"):
            load_documents("m.npz")


def test_a_matrix_is_not_written_under_the_name_of_another_format():
    result = invoke("count", "corpus.txt", "-o", "counts.csv", code=2)
    assert "--output must end in .npz, got counts.csv" in result.stderr
    assert not Path("counts.csv").exists()
    invoke("count", "corpus.txt", "-o", "counts")
    assert load_npz("counts").shape[0] == 5
