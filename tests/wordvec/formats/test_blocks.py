"""Text and binary files read in many small blocks: the rows of one block, in order, and each word's first one."""

import numpy as np
import pytest

from wordvec import FormatError, load_vectors, save_vectors
from wordvec.formats import text_lines, word2vec_binary
from wordvec.vectors.dense import WordVectors

D = 24


@pytest.fixture(scope="module")
def wv():
    rng = np.random.default_rng(1)
    return WordVectors([f"w{row}" for row in range(500)], rng.normal(size=(500, D)))


@pytest.fixture(autouse=True, params=["NumPy", "compiled"])
def _small_blocks(monkeypatch, request):
    monkeypatch.setattr(text_lines, "_COMPILED_BYTES", 0 if request.param == "compiled" else 1 << 20)
    monkeypatch.setattr(text_lines, "_BLOCK_BYTES", 1000)
    monkeypatch.setattr(word2vec_binary, "_BLOCK_BYTES", 1000)


@pytest.mark.parametrize("format", ["text", "glove", "binary"])
@pytest.mark.parametrize("limit", [None, 1, 137, 500, 900])
def test_all_rows_are_read_in_order(wv, tmp_path, format, limit):
    save_vectors(wv, tmp_path / "v", format=format)
    found = load_vectors(tmp_path / "v", format=format, limit=limit)
    assert found.tokens == wv.tokens[:limit]
    assert found.vectors.tobytes() == wv.vectors[:limit].tobytes()


@pytest.mark.parametrize("format", ["text", "binary"])
def test_the_first_of_repeated_words_is_kept_across_blocks(wv, tmp_path, format):
    tokens = [f"w{row % 300 if row != 450 else row}" for row in range(500)]
    if format == "text":
        rows = [
            " ".join([token, *map(str, row.tolist())]).encode() for token, row in zip(tokens, wv.vectors, strict=True)
        ]
    else:
        rows = records(tokens, wv.vectors)
    (tmp_path / "v").write_bytes(b"500 %d\n" % D + (b"\n" if format == "text" else b"").join(rows))
    found = load_vectors(tmp_path / "v", format=format)
    assert found.tokens == [*wv.tokens[:300], "w450"]
    assert found.vectors.tobytes() == wv.vectors[[*range(300), 450]].tobytes()
    assert [found.vocabulary.token_to_id[token] for token in found.tokens] == list(range(301))


def test_a_bad_line_is_named_by_its_number(wv, tmp_path):
    save_vectors(wv, tmp_path / "v.txt")
    lines = (tmp_path / "v.txt").read_bytes().split(b"\n")
    lines[400] += b"x"
    (tmp_path / "v.txt").write_bytes(b"\n".join(lines))
    with pytest.raises(FormatError, match=r"v\.txt:401: expected a number"):
        load_vectors(tmp_path / "v.txt")
    assert len(load_vectors(tmp_path / "v.txt", limit=399)) == 399


def records(tokens, vectors):
    return [token.encode() + b" " + row.tobytes() for token, row in zip(tokens, vectors, strict=True)]


@pytest.mark.parametrize("newline", [b"", b"\n"])
@pytest.mark.parametrize("tail", [b"", b" ", b"part of a record"])
def test_many_records_at_once_are_those_one_by_one(wv, newline, tail):
    data = newline.join(records(wv.tokens, wv.vectors)) + tail
    where = ("v.bin", data, 0, 4 * D, 400, 0)
    tokens, vectors, end = word2vec_binary._plain_records(*where)
    slow = word2vec_binary._records(*where, False)
    assert tokens.split(b"\n") == slow[0] == [b"w%d" % row for row in range(400)]
    assert vectors.tobytes() == slow[1].tobytes()
    assert end == slow[2]


@pytest.mark.parametrize("token", ["new york", "new\nyork", "x" * 20_000])
def test_records_with_unusual_tokens_are_left_to_the_careful_reader(wv, token):
    data = b"".join(records([*wv.tokens[:50], token, *wv.tokens[50:100]], wv.vectors[:101]))
    tokens, _, end = word2vec_binary._plain_records("v.bin", data, 0, 4 * D, 101, 0)
    assert tokens.split(b"\n") == [b"w%d" % row for row in range(50)]
    assert word2vec_binary._plain_records("v.bin", data, end, 4 * D, 51, 50) is None
