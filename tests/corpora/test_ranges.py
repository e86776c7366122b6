"""Byte ranges of files: together, the text of the corpus, wherever they are cut."""

import gzip
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from corpora import InputError, TextCorpus
from corpora.ranges import Range, range_blocks, ranges_of, reading_of

TEXTS = {
    "lines": "the cat sat\non the mat\n\nand so on\n" * 9,
    "no newline at the end": "the cat sat\non the mat",
    "one line": "the quick brown fox " * 30,
    "crlf": "one two\r\nthree four five\r\n\r\nsix\r\n" * 6,
    "cr": "one two\rthree four five\rsix\r" * 6,
    "wide": "na\u00efve caf\u00e9\u2028\u4f60\u597d Stra\u00dfe\u2029e\u0301t\u00e9\n" * 7,
    "marks": "\ufeffone two\n\ufeffthree \ufefffour five\n" * 5,
    "tabs": "\tone\ttwo\x0bthree\x0cfour\n" * 5,
    "empty": "",
    "blank": " \n \n",
    "a word": "word",
}


def content(blocks):
    """Tokens by line."""
    return [line.split() for line in b"".join(blocks).split(b"\n")]


@pytest.fixture(params=[16, 1 << 16], ids=["looks at 16 bytes", "looks at 64 KiB"])
def look(request, monkeypatch):
    monkeypatch.setattr("corpora.ranges._LOOK", request.param)


@pytest.mark.parametrize("tokenizer", ["whitespace", "words"])
@pytest.mark.parametrize("name", TEXTS)
def test_ranges_are_the_text(name, tokenizer, tmp_path, look):
    path = tmp_path / "text.txt"
    path.write_bytes(TEXTS[name].encode())
    corpus = TextCorpus(path, tokenizer=tokenizer, lowercase=True)
    whole = content(corpus.blocks())
    how = reading_of(corpus)
    for size in (1, 2, 3, 5, 7, 16, 50, 10_000):
        ranges = ranges_of(corpus, size)
        assert content(block for part in ranges for block in range_blocks(part, how, 1 << 18)) == whole, size


def test_compressed_files_and_other_units_stay_whole(tmp_path):
    text = b"one two three\n\nfour five\n" * 50
    (tmp_path / "a.txt").write_bytes(text)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(text))
    parts = ranges_of(TextCorpus(tmp_path), 100)
    assert [part.name.endswith(".gz") for part in parts] == [False] * 13 + [True]
    corpus = TextCorpus(tmp_path)
    how = reading_of(corpus)
    assert content(b for part in parts for b in range_blocks(part, how, 99)) == content(corpus.blocks())
    for changed in ({"unit": "paragraph"}, {"encoding": "latin-1"}):
        corpus = TextCorpus(tmp_path, **changed)
        parts = ranges_of(corpus, 100)
        assert len(parts) == 2
        how = reading_of(corpus)
        assert content(b for part in parts for b in range_blocks(part, how, 99)) == content(corpus.blocks())


def test_files_on_any_file_system_of_fsspec(tmp_path):
    fsspec = pytest.importorskip("fsspec")
    text = "one two three\nfour five\n" * 30
    memory = fsspec.filesystem("memory")
    memory.pipe("/news/a.txt", text.encode())
    memory.pipe("/news/b.txt.gz", gzip.compress(text.encode()))
    (tmp_path / "c.txt").write_text(text)
    try:
        for name in ("memory://news", "memory://news/*", f"file://{tmp_path}/c.txt"):
            corpus = TextCorpus(name)
            assert list(corpus) == text.split("\n")[:-1] * (2 if "news" in name else 1)
            parts, how = ranges_of(corpus, 100), reading_of(corpus)
            assert len(parts) > 5
            assert content(b for part in parts for b in range_blocks(part, how, 99)) == content(corpus.blocks())
        with pytest.raises(InputError, match=r"memory://news/d.txt: no such file"):
            TextCorpus("memory://news/d.txt")
        with pytest.raises(InputError, match="no file matches"):
            TextCorpus("memory://news/*.csv")
        with pytest.raises(InputError, match=r"nothing://a: |nothing://a cannot be read: Protocol not known"):
            TextCorpus("nothing://a")
    finally:
        memory.rm("/news", recursive=True)


class Ranges(BaseHTTPRequestHandler):
    """Serves ``content`` by byte ranges, and counts the bytes."""

    content, served, knows_ranges = b"", 0, True
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET(body=False)

    def do_GET(self, body=True):
        size, found = (
            len(self.content),
            self.knows_ranges and re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")),
        )
        first, last = (int(found[1]), min(int(found[2] or size), size - 1)) if found else (0, size - 1)
        self.send_response(206 if found else 200)
        if self.knows_ranges:
            self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last + 1 - first))
        if found:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if body:
            Ranges.served += last + 1 - first
            self.wfile.write(self.content[first : last + 1])

    def log_message(self, *_):
        pass


def test_a_file_on_a_web_server_is_read_by_ranges(monkeypatch):
    pytest.importorskip("aiohttp", reason="fsspec reads http:// with aiohttp")
    text = b"one two three\n" * 3_000_000
    monkeypatch.setattr(Ranges, "content", text)
    monkeypatch.setattr(Ranges, "served", 0)
    with ThreadingHTTPServer(("127.0.0.1", 0), Ranges) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            corpus = TextCorpus(f"http://127.0.0.1:{server.server_port}/a.txt")
            parts, how = ranges_of(corpus, 1 << 20), reading_of(corpus)
            assert (len(parts), parts[0].size) == (41, len(text))
            middle = b"".join(bytes(block) for block in range_blocks(parts[20], how, 1 << 18))
            assert middle == b"one two three\n" * (len(middle) // 14)
            assert abs(len(middle) - len(text) / 41) <= 28
            assert Ranges.served < len(text) / 2
            monkeypatch.setattr(Ranges, "knows_ranges", False)
            with pytest.raises(
                InputError, match=r"/a\.txt cannot be read in parts \(The HTTP server doesn't .*; copy it"
            ):
                list(range_blocks(parts[20], how, 1 << 18))
            with pytest.raises(InputError, match=r"http://127\.0\.0\.1:1/a\.txt"):
                TextCorpus("http://127.0.0.1:1/a.txt")
        finally:
            server.shutdown()


def test_a_file_that_is_another_one_elsewhere(tmp_path):
    (tmp_path / "a.txt").write_text("one two")
    how = reading_of(TextCorpus(tmp_path))
    with pytest.raises(InputError, match=r"a\.txt has 7 bytes here, not 9; all machines must see the same file"):
        list(range_blocks(Range(str(tmp_path / "a.txt"), 9, 0, 9), how, 99))
    with pytest.raises(InputError, match="no such file"):
        list(range_blocks(Range(str(tmp_path / "b.txt"), 9, 0, 9), how, 99))


def test_standard_input_is_refused():
    with pytest.raises(InputError, match="standard input can be read only once, and only here"):
        ranges_of(TextCorpus("-"), 100)
