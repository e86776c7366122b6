"""floret files: reading, writing, damage."""

import numpy as np
import pytest

from wordvec import FormatError, InputError, load_vectors, save_vectors
from wordvec.formats.ngrams import ngram_rows
from wordvec.formats.registry import describe
from wordvec.formats.table import SubwordTable
from wordvec.vectors.subwords import SubwordVectors
from wordvec.vocabulary import Vocabulary

BUCKETS, DIM = 30, 4
HEADER = f"{BUCKETS} {DIM} 2 3 2 2166136261 < >"


def text(rows, header=HEADER):
    return "\n".join([header, *(f"{k} {' '.join(map(str, row))} " for k, row in enumerate(rows.tolist()))]) + "\n"


@pytest.fixture
def rows():
    return np.random.default_rng(5).integers(-9, 9, (BUCKETS, DIM)).astype(np.float32)


@pytest.fixture
def path(rows, tmp_path):
    path = tmp_path / "v.floret"
    path.write_text(text(rows))
    return path


def test_words_are_the_means_of_their_rows(path, rows):
    vectors = load_vectors(path)
    assert (len(vectors), vectors.vector_size, vectors.subwords.hashes) == (0, DIM, 2)
    for word in ("king", "über", "x" * 40):
        _, places = ngram_rows(vectors.subwords, [word])
        assert len(places) == 2 * (1 + len(word) + 1 + len(word))  # the word, n-grams of two and three
        np.testing.assert_allclose(vectors[word], rows[places].mean(axis=0), rtol=1e-6)
    assert "" not in vectors
    assert [word for word, _ in vectors.with_words(["king", "queen"]).most_similar("king")] == ["queen"]
    with pytest.raises(InputError, match="no words to search, only the rows"):
        vectors.most_similar("king")


def test_files_are_written_as_they_were_read(path, tmp_path):
    vectors = load_vectors(path)
    for name in ("copy.floret", "copy.floret.gz", "copy.safetensors"):
        save_vectors(vectors, tmp_path / name)
        copy = load_vectors(tmp_path / name)
        assert copy["king"].tobytes() == vectors["king"].tobytes()
    save_vectors(copy, tmp_path / "again.floret")
    assert (tmp_path / "again.floret").read_bytes() == (tmp_path / "copy.floret").read_bytes()
    with pytest.raises(InputError, match="no vectors to save"):
        save_vectors(vectors, tmp_path / "copy.txt")


def test_buckets_without_a_row_are_zeros(tmp_path):
    held = np.array([1, 7], np.int32)
    table = SubwordTable(2, 3, BUCKETS, np.zeros((0, DIM), np.float32), np.ones((2, DIM), np.float32), held, hashes=2)
    save_vectors(SubwordVectors(Vocabulary(["a"]), table), tmp_path / "v.floret")
    found = load_vectors(tmp_path / "v.floret").subwords.ngram_vectors
    assert np.flatnonzero(found.any(axis=1)).tolist() == [1, 7]
    with pytest.raises(InputError, match=r"fastText models hash an n-gram to one bucket, these vectors to 2"):
        save_vectors(SubwordVectors(Vocabulary(["a"]), table), tmp_path / "v", format="fasttext")


def test_only_hashed_words_fit(tmp_path):
    own = SubwordTable(2, 3, 9, np.ones((1, DIM), np.float32), np.ones((9, DIM), np.float32))
    with pytest.raises(InputError, match=r"need vectors trained with subword_hashes .*, got a row for each word"):
        save_vectors(SubwordVectors(["a"], own), tmp_path / "v.floret")
    with pytest.raises(InputError, match="got no n-grams"):
        save_vectors(SubwordVectors(["a"], own).without_fallback(), tmp_path / "v.floret")


def test_the_declared_sizes(path):
    facts = describe(path)
    assert (facts["format"], facts["tokens"], facts["vector_size"]) == ("floret", None, DIM)
    assert facts["subwords"] == {"min_n": 2, "max_n": 3, "buckets": BUCKETS, "hashes": 2}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("2166136261", "7"), ":1: seed and borders must be '2166136261 < >', got '7 < >'"),
        (HEADER.replace("<", "^"), "seed and borders must be"),
        (HEADER.replace(" 2 3 ", " 3 2 "), ":1: subwords must have 1 <= min_n <= max_n"),
        (HEADER.replace(" 2 2166", " 5 2166"), ":1: subwords must have 1 <= hashes <= 4, got 5"),
        (HEADER.replace("30 ", "31 "), "truncated"),
        (HEADER.replace("30 ", "29 "), ":31: extra line after the 29 declared buckets"),
        (HEADER.replace("30 ", "90000000 "), "declares 90,000,000 vectors of 4 numbers"),
        (HEADER.replace(" 4 ", " 5 ", 1), "expected a token and 5 numbers"),
    ],
)
def test_damaged_headers_are_rejected(header, message, rows, tmp_path):
    path = tmp_path / "v.floret"
    path.write_text(text(rows, header))
    with pytest.raises(FormatError, match=message):
        load_vectors(path)


def test_rows_must_be_in_order(rows, tmp_path):
    path = tmp_path / "v.floret"
    path.write_text(text(rows).replace("\n7 ", "\n77 "))
    with pytest.raises(FormatError, match=":9: expected the row of bucket 7, found '77'"):
        load_vectors(path)


def test_parts_of_a_file_are_not_read(path):
    with pytest.raises(InputError, match="a floret file is read as a whole; leave out limit"):
        load_vectors(path, limit=3)
