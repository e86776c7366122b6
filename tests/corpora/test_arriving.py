"""Lines of a pipe, as they arrive: equal to those of a file, however the bytes are cut."""

import gzip
import io
from contextlib import nullcontext

import pytest

from corpora import InputError, readers
from corpora.files import Source
from corpora.readers import arriving_lines, source_lines
from corpora.sources import OneShot


class Pipe(io.RawIOBase):
    """A stream of which each read returns the next piece."""

    def __init__(self, *pieces):
        self.pieces = [piece for piece in pieces if piece]

    def read(self, size=-1):
        return self.pieces.pop(0) if self.pieces else b""


def arriving(*pieces, encoding_errors="strict"):
    return arriving_lines(OneShot("the pipe", lambda: nullcontext(Pipe(*pieces))), "utf-8", encoding_errors)


CONTENTS = {
    "plain": "one\n\nthree",
    "accents": "é\U0001f600\nü\n",
    "CRLF": "one\r\ntwo\r\n",
    "CR": "one\rtwo\rthree",
    "lone CR": "one\ntwo\rstill\n",
    "BOM": "\ufeffone\n\ufefftwo\n",
    "empty": "",
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_those_of_a_file(content, size):
    stored = content.encode()
    pieces = [stored[start : start + size] for start in range(0, len(stored), size)]
    expected = list(source_lines(Source("file", lambda: io.BytesIO(stored)), "utf-8", "strict"))
    assert list(arriving(*pieces)) == expected


def test_a_line_is_there_as_soon_as_its_end_is():
    pipe = Pipe(b"one\ntw", b"o\n", b"three")
    lines = arriving_lines(OneShot("the pipe", lambda: nullcontext(pipe)), "utf-8", "strict")
    assert next(lines) == "one"
    assert len(pipe.pieces) == 2
    assert next(lines) == "two"
    assert len(pipe.pieces) == 1
    assert list(lines) == ["three"]


def test_compressed_input_is_decompressed():
    stored = gzip.compress(b"one\ntwo\n")
    assert list(arriving(stored[:12], stored[12:])) == ["one", "two"]


def test_invalid_input_is_an_error_with_its_offset(monkeypatch):
    with pytest.raises(InputError, match="the pipe: byte 0xff at offset 5 is not UTF-8"):
        list(arriving(b"one\n", b"t\xff\n"))
    assert list(arriving(b"t\xff\n", encoding_errors="replace")) == ["t\ufffd"]
    with pytest.raises(InputError, match="looks like UTF-16"):
        list(arriving("one two three\n".encode("utf-16-le")))
    monkeypatch.setattr(readers, "MAX_TOKEN_BYTES", 1000)
    with pytest.raises(InputError, match="the pipe: the token at offset 4 is longer"):
        list(arriving(b"one\n", *[b"x" * 300] * 4))
