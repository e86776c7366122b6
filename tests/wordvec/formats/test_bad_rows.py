"""Rows that other programs write and that are not vectors: left out and counted, or rejected with their place."""

import gzip
import struct

import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import wordvec
from wordvec import FormatError, load_vectors
from wordvec.formats import text_lines, word2vec_binary

THE, CAT = "the 1 2 3\n", "cat 3 2 1\n"


def binary(*rows, size=None):
    records = [token + b" " + struct.pack("<3f", *vector) for token, vector in rows]
    return b"%d 3\n" % (len(rows) if size is None else size) + b"".join(records)


def loaded(tmp_path, content, name="v.txt", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_vectors(path, **options)


def assert_the_and_cat(wv):
    assert wv.tokens == ["the", "cat"]
    np.testing.assert_array_equal(wv.vectors, [[1, 2, 3], [3, 2, 1]])


# -- tokens that are empty or white space -----------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["\t 9 9 9\n", "  9 9 9\n", " 9 9 9\n", "\t9 9 9\n", " \t 9 9 9\n"])
@pytest.mark.parametrize("header", ["3 3\n", ""])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_rows_without_a_token_are_left_out_of_text(tmp_path, caplog, row, header, compress):
    name = "v.vec" if compress is bytes else "v.vec.gz"
    assert_the_and_cat(loaded(tmp_path, compress((header + THE + row + CAT).encode()), name))
    assert caplog.messages == [f"{tmp_path / name}: skipped 1 row with an empty or white space token"]


def test_rows_without_a_token_are_left_out_of_binary_files(tmp_path, caplog):
    content = binary((b"the", (1, 2, 3)), (b"", (9, 9, 9)), (b"\t", (9, 9, 9)), (b"cat", (3, 2, 1)))
    assert_the_and_cat(loaded(tmp_path, content, "v.bin"))
    assert "skipped 2 rows with an empty or white space token" in caplog.text


def test_truncated_lines_are_not_rows_without_a_token(tmp_path):
    with pytest.raises(FormatError, match=r"v.txt:3: expected a token and 3 numbers, found 3 columns"):
        loaded(tmp_path, "3 3\n" + THE + " dog 1 2\n" + CAT)


def test_a_file_of_such_rows_only_is_rejected(tmp_path):
    with pytest.raises(FormatError, match="no valid vectors"):
        loaded(tmp_path, "1 3\n\t 1 2 3\n")


# -- invalid rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["5 3\n", ""])
def test_blank_lines_do_not_count_as_rows_to_read(tmp_path, monkeypatch, header):
    monkeypatch.setattr(text_lines, "_BLOCK_BYTES", 40)
    content = header + THE + "\n" + CAT + "".join(f"w{row} 1 2 3\n" for row in range(3))
    for limit in range(1, 6):
        found = loaded(tmp_path, content, limit=limit, skip_bad_rows=True)
        assert found.tokens == ["the", "cat", "w0", "w1", "w2"][:limit]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("<unk> nan nan nan\n", "expected finite numbers"),
        ("big 1 2 inf\n", "expected finite numbers"),
        ("huge 1 2 1e99\n", "expected finite numbers"),
        ("short 1 2\n", "expected a token and 3 numbers"),
        ("long 1 2 3 4\n", "expected a token and 3 numbers"),
        ("wrong 1 2 x\n", "expected a number"),
        ("\n", "a blank line between vectors"),
    ],
)
@pytest.mark.parametrize("header", ["3 3\n", ""])
def test_invalid_rows_of_text_are_skipped_on_request(tmp_path, caplog, header, row, message):
    content = header + THE + row + CAT
    with pytest.raises(FormatError, match=f"v.txt:{3 if header else 2}: {message}.*skip_bad_rows"):
        loaded(tmp_path, content)
    assert_the_and_cat(loaded(tmp_path, content, skip_bad_rows=True))
    assert "skipped 1 invalid row, the first: " in caplog.text
    assert message in caplog.text


def test_invalid_rows_of_binary_files_are_skipped_on_request(tmp_path, caplog):
    content = binary((b"the", (1, 2, 3)), (b"<unk>", (1, np.nan, 3)), (b"cat", (3, 2, 1)))
    with pytest.raises(FormatError, match=r"vector 2 \('<unk>'\) contains NaN or infinity; skip_bad_rows"):
        loaded(tmp_path, content, "v.bin")
    assert_the_and_cat(loaded(tmp_path, content, "v.bin", skip_bad_rows=True))
    assert "skipped 1 invalid row, the first: " in caplog.text


@pytest.mark.parametrize("declared", [1, 3, 10**15])
def test_a_first_line_that_miscounts_is_a_warning_on_request(tmp_path, caplog, declared):
    text = f"{declared} 3\n{THE}{CAT}"
    remedy = None if declared == 10**15 else "skip_bad_rows reads the rows that there are"
    with pytest.raises(FormatError, match=remedy):
        loaded(tmp_path, text)
    assert_the_and_cat(loaded(tmp_path, text, skip_bad_rows=True))
    assert f"its first line declares {declared:,} vectors, found 2" in caplog.text
    if declared > 2:
        content = binary((b"the", (1, 2, 3)), (b"cat", (3, 2, 1)), size=declared)
        assert_the_and_cat(loaded(tmp_path, content, "v.bin", skip_bad_rows=True))


@pytest.mark.parametrize("header", ["4 3\n", ""])
def test_skipped_rows_count_towards_the_limit(tmp_path, header):
    text = header + THE + "bad nan 1 2\n" + CAT + "dog 1 1 1\n"
    assert_the_and_cat(loaded(tmp_path, text, limit=3, skip_bad_rows=True))


def test_a_file_of_invalid_rows_only_is_rejected(tmp_path):
    with pytest.raises(FormatError, match="no valid vectors"):
        loaded(tmp_path, "1 3\nbad nan 1 2\n", skip_bad_rows=True)


def test_convert_skips_invalid_rows_on_request(tmp_path):
    (tmp_path / "v.vec").write_text("3 3\n" + THE + "<unk> nan nan nan\n" + CAT)
    command = ["convert", str(tmp_path / "v.vec"), str(tmp_path / "o.vec")]
    failed = CliRunner().invoke(wordvec, command)
    assert failed.exit_code == 1
    assert failed.stderr.endswith("; --skip-bad-rows leaves such rows out\n")
    neighbors = CliRunner().invoke(wordvec, ["neighbors", str(tmp_path / "v.vec"), "the"])
    assert neighbors.stderr.endswith("; wordvec convert --skip-bad-rows leaves such rows out\n")
    done = CliRunner().invoke(wordvec, [*command, "--skip-bad-rows"])
    assert done.exit_code == 0
    assert "skipped 1 invalid row" in done.stderr
    assert (tmp_path / "o.vec").read_text() == "2 3\n" + THE + CAT


# -- gensim's binary files with spaces in tokens ----------------------------------------------------------------------


TOKENS = ["the", "old car", "cat", "new york city", "dog", "a b c d", "été à Paris", "x y"]


@pytest.mark.parametrize("vector_size", [20, 50, 300])
@pytest.mark.parametrize("seed", range(20))
def test_tokens_with_spaces_in_binary_files(tmp_path, monkeypatch, vector_size, seed):
    draw = np.random.default_rng(seed)
    vectors = draw.normal(scale=10.0 ** draw.integers(-3, 2), size=(len(TOKENS), vector_size)).astype("<f4")
    order = draw.permutation(len(TOKENS))
    tokens = [TOKENS[row] for row in order]
    records = [token.encode() + b" " + row.tobytes() for token, row in zip(tokens, vectors, strict=True)]
    content = b"%d %d\n" % vectors.shape + b"".join(records)
    monkeypatch.setattr(word2vec_binary, "_BLOCK_BYTES", [64, 4 << 20][seed % 2])
    wv = loaded(tmp_path, content, "v.bin")
    assert wv.tokens == tokens
    np.testing.assert_array_equal(wv.vectors, vectors)
    for limit in range(1, len(TOKENS)):
        wv = loaded(tmp_path, content, "v.bin", limit=limit)
        assert wv.tokens == tokens[:limit]
        np.testing.assert_array_equal(wv.vectors, vectors[:limit])
