"""Text readers: blocks agree with lines for any block size, tokenizer and compression; invalid input is reported."""

import bz2
import gzip
import io
import lzma
import os
import re
import sys
import threading

import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from corpora import (
    TOKENIZERS,
    InputError,
    TextCorpus,
    read_labelled,
    read_lines,
    read_series,
    read_tagged,
    read_texts,
    readers,
    tokenize,
    utf8,
)

COMPRESS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}
CHARACTERS = st.one_of(
    st.sampled_from(" \t\n\r\v\faB9'_-.é’ΣİK\x1c\x85\u00a0\u2028\ufeff🙂"), st.characters(exclude_categories=["Cs"])
)
TEXTS = st.text(CHARACTERS, max_size=60)
ANY_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="corpus.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return to_file


def as_lines(text):
    """Reference implementation of line splitting."""
    text = text.removeprefix("\ufeff")
    lines = re.split("\r\n|[\n\r\u2028\u2029]", text)
    return [line.removeprefix("\ufeff") for line in (lines if lines[-1] else lines[:-1])]


@ANY_FILE
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=3),
    size=st.integers(1, 80),
    tokenizer=st.sampled_from(sorted(TOKENIZERS)),
    lowercase=st.booleans(),
    ending=st.sampled_from(sorted(COMPRESS)),
)
@example(texts=["\ufeff"], size=1, tokenizer="whitespace", lowercase=False, ending="")
@example(texts=["ΟΔΟΣ ΣΑΣ\r\n\r\nΣ"], size=1, tokenizer="words", lowercase=True, ending="")
@example(texts=["ab cd ", "x"], size=6, tokenizer="whitespace", lowercase=False, ending="")
@example(texts=["", "a", "\n"], size=5, tokenizer="tweets", lowercase=False, ending=".gz")
def test_blocks_have_the_same_tokens_as_lines(write, texts, size, tokenizer, lowercase, ending):
    paths = [write(COMPRESS[ending](text.encode()), f"{i}.txt{ending}") for i, text in enumerate(texts)]
    corpus = TextCorpus(*paths, tokenizer=tokenizer, lowercase=lowercase)
    lines = [line for text in texts for line in as_lines(text)]
    assert list(corpus) == lines
    blocks = list(corpus.blocks(size))
    assert all(blocks)
    for block in blocks:
        block.decode()  # no block splits a character
        assert block[-1:].isspace()
    sentences = b"".join(blocks).split(b"\n")
    assert sentences.pop() == b""
    assert [[token.decode() for token in sentence.split()] for sentence in sentences] == [
        tokenize(line, tokenizer, lowercase) for line in lines
    ]
    assert corpus.bytes_read() == corpus.size() == sum(path.stat().st_size for path in paths)


@ANY_FILE
@given(
    content=st.binary(max_size=60)
    | st.lists(st.sampled_from([b" ", b"\n", b"a", b"\xf0\x9f", b"\x98", b"\xe2\x82", b"\xff"])).map(b"".join),
    size=st.integers(1, 30),
)
@example(content=b"\xcd\xbe", size=9)  # NFC has another letter for it
def test_invalid_utf8_is_rejected_or_replaced_at_any_block_boundary(write, content, size):
    path = write(b"ab \n" + content)
    replaced = (b"ab \n" + content).decode(errors="replace")
    assert list(TextCorpus(path, encoding_errors="replace", normalize="none")) == as_lines(replaced)
    whole = b"".join(TextCorpus(path, encoding_errors="replace", normalize="none").blocks(size))
    assert [line.removesuffix("\r") for line in whole.decode().split("\n")] == [*as_lines(replaced), ""]
    try:
        (b"ab \n" + content).decode()
    except UnicodeDecodeError as error:
        with pytest.raises(InputError) as caught:
            list(TextCorpus(path, normalize="none").blocks(size))
        message = f"{path}: byte 0x{content[error.start - 4]:02x} at offset {error.start} is not UTF-8; "
        assert str(caught.value) == message + "re-encode the file, or pass --encoding NAME or --encoding-errors replace"
    else:
        assert b"".join(TextCorpus(path, normalize="none").blocks(size)) == whole


def test_error_offset_refers_to_the_decompressed_file(write):
    content = b"\xef\xbb\xbf" + "näh ".encode() * 1000 + b"\xffx"
    for ending, compress in COMPRESS.items():
        with pytest.raises(InputError, match=f"byte 0xff at offset {len(content) - 2} is not UTF-8"):
            list(TextCorpus(write(compress(content), f"a{ending}")).blocks(64))


def test_whitespace_blocks_equal_the_file_contents(write):
    content = ("So  many\twords, \r\n" * 4000).encode()
    assert b"".join(TextCorpus(write(content)).blocks(1000)) == content
    assert {len(block) <= 1000 for block in TextCorpus(write(content)).blocks(1000)} == {True}


def test_a_line_longer_than_the_block_size_is_streamed(write):
    path = write(b"word " * 200_000)
    blocks = list(TextCorpus(path).blocks(1 << 12))
    assert max(map(len, blocks)) <= 1 << 12
    assert b"".join(blocks) == b"word " * 200_000 + b"\n"
    assert max(map(len, TextCorpus(path, tokenizer="words").blocks())) <= 1 << 18


def test_a_token_longer_than_the_block_is_not_split_up_to_the_limit(write, monkeypatch):
    content = b"a " + b"x" * 5000 + b" b"
    assert b"".join(TextCorpus(write(content)).blocks(16)).split() == content.split()
    monkeypatch.setattr(utf8, "MAX_TOKEN_BYTES", 5000)
    assert b"".join(TextCorpus(write(content)).blocks(16)).split() == content.split()
    monkeypatch.setattr(utf8, "MAX_TOKEN_BYTES", 4999)
    for size in (1, 16, 1000, 4999):
        with pytest.raises(InputError, match="the token at offset 2 is longer than 0 MiB; is this a text file"):
            list(TextCorpus(write(content)).blocks(size))


@pytest.mark.parametrize("size", [0, -1, (64 << 20) + 1])
def test_an_invalid_block_size_is_rejected_before_reading(write, size):
    with pytest.raises(InputError, match=re.escape(f"size must be in 1..67108864, got {size}")):
        TextCorpus(write("a")).blocks(size)


def test_empty_and_nearly_empty_files(write):
    assert list(TextCorpus(write(b"")).blocks()) == list(TextCorpus(write(b""))) == []
    assert list(TextCorpus(write(b"\xef\xbb\xbf")).blocks()) == []
    assert list(TextCorpus(write(b"\xef\xbb\xbf\n")).blocks()) == [b"\n"]
    assert TextCorpus(write(b"")).size() == 0


# -- source resolution -------------------------------------------------------------------------------------------------


def test_directories_globs_and_multiple_files_have_a_fixed_order(write, tmp_path):
    for name in ("b/z.txt", "b/a.txt", "a.txt", "b-c.txt", ".hidden", ".git/x", "b/deep/er.txt.gz"):
        write(gzip.compress(name.encode()) if name.endswith(".gz") else name, f"data/{name}")
    data = tmp_path / "data"
    assert list(TextCorpus(data)) == ["a.txt", "b/a.txt", "b/deep/er.txt.gz", "b/z.txt", "b-c.txt"]
    assert list(TextCorpus(f"{data}/*.txt")) == ["a.txt", "b-c.txt"]
    assert list(TextCorpus(f"{data}/**", f"{data}/a.txt"))[-1] == "a.txt"
    assert sorted(TextCorpus(f"{data}/**")) == sorted(TextCorpus(data))
    assert list(TextCorpus(data / "b" / "z.txt", data / "a.txt", data / "a.txt")) == ["b/z.txt", "a.txt", "a.txt"]
    write("odd", "data/[1].txt")
    assert list(TextCorpus(f"{data}/[1].txt")) == ["odd"]  # an existing file is not treated as a glob


def test_invalid_sources_are_reported_on_construction(write, tmp_path, monkeypatch):
    write("x", "data/corpus.txt")
    (tmp_path / "empty").mkdir()
    write("x", "data/texts.zip")
    write("x", "data/texts.tar.gz")
    (tmp_path / "link").symlink_to("elsewhere")
    cases = {
        f"{tmp_path}/link": "link is a link to elsewhere, which does not exist",
        f"{tmp_path}/nope": "nope: no such file$",
        f"{tmp_path}/nope/x": "nope/x: no such file; the directory .*nope does not exist either",
        f"{tmp_path}/data/corpus.tx": r"no such file; did you mean .*data/corpus\.txt\?",
        f"{tmp_path}/*.md": r"\*\.md: no file matches",
        f"{tmp_path}/empty": "the directory .*empty contains no files",
        f"{tmp_path}/data/texts.zip": r"texts\.zip is an archive; unpack it first",
        f"{tmp_path}/data/texts.tar.gz": r"texts\.tar\.gz is an archive; unpack it first",
        "": "source must not be empty",
        "a\0b": r"'a\\x00b' cannot be read: embedded null byte",
        "sample:englsh": "unknown sample 'sample:englsh'; choose one of .*did you mean sample:english",
        "english": r"english: no such file; did you mean sample:english\?",
    }
    for source, message in cases.items():
        with pytest.raises(InputError, match=message):
            TextCorpus(source)
    for sources, message in [((), "at least one source"), (("-", "-"), "'-' is given more than once")]:
        with pytest.raises(InputError, match=message):
            TextCorpus(*sources)
    with pytest.raises(InputError, match="encoding_errors must be 'strict' or 'replace', got 'ignore'"):
        TextCorpus(write("a"), encoding_errors="ignore")
    with pytest.raises(InputError, match="tokenizer must be one of"):
        TextCorpus(write("a"), tokenizer="nltk")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    with pytest.raises(InputError, match=r"corpus\.txt cannot be read: permission denied"):
        TextCorpus(write("a"))


def test_a_file_deleted_or_replaced_by_a_directory_raises_input_error(write):
    path = write("a")
    corpus = TextCorpus(path)
    path.unlink()
    with pytest.raises(InputError, match="cannot be read: no such file or directory"):
        list(corpus.blocks())
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read: is a directory"):
        corpus.fingerprint()


# -- compression -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_damaged_compressed_files_are_rejected(write, ending):
    content = b"".join(b"line %d\n" % i for i in range(2000))
    whole = COMPRESS[ending](content)
    assert b"".join(TextCorpus(write(whole + whole, f"two{ending}")).blocks()) == content * 2
    assert b"".join(TextCorpus(write(whole, "unnamed")).blocks()) == content  # detected by its first bytes
    for kept in (len(whole) - 1, len(whole) // 2, 12):
        with pytest.raises(InputError, match=f"a{ending} is truncated: the compressed data end too early"):
            list(TextCorpus(write(whole[:kept], f"a{ending}")).blocks())
    with pytest.raises(InputError, match=f"b{ending} is truncated"):
        list(TextCorpus(write(whole + whole[: len(whole) // 2], f"b{ending}")).blocks())
    flipped = bytearray(whole)
    for at in range(len(whole) // 2, len(whole) // 2 + 8):
        flipped[at] ^= 0xFF
    with pytest.raises(InputError, match=f"c{ending} is (damaged|truncated)"):
        list(TextCorpus(write(bytes(flipped), f"c{ending}")).blocks())
    message = rf"d{ending} is not \{ending} data \(it starts with b'plai'\); rename it if it is plain text"
    with pytest.raises(InputError, match=message):
        list(TextCorpus(write("plain text", f"d{ending}")))
    with pytest.raises(InputError, match=rf"e{ending} is not \{ending} data \(it is empty\)"):
        list(TextCorpus(write("", f"e{ending}")))


def read_or_refused(path):
    try:
        return b"".join(TextCorpus(path).blocks())
    except InputError as error:
        return "refused" if re.search(r" is (damaged|truncated): ", str(error)) else str(error)


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_damage_in_a_later_stream_never_shortens_the_text(write, ending):
    content = b"".join(b"line %d\n" % i for i in range(300))
    first, second = COMPRESS[ending](content[:900]), COMPRESS[ending](content[900:])
    for position in range(len(first), len(first) + 12):
        for bit in range(8):
            damaged = bytearray(first + second)
            damaged[position] ^= 1 << bit
            # A bit that decoders ignore, such as one of the time in a gzip header, changes nothing.
            assert read_or_refused(write(bytes(damaged), f"a{ending}")) in (content, "refused")
    for kept in range(1, len(second)):
        assert read_or_refused(write(first + second[:kept], f"b{ending}")) == "refused"
    with pytest.raises(InputError, match=f"c{ending} is (damaged|truncated)"):
        list(TextCorpus(write(first + b"text after the stream", f"c{ending}")).blocks())


def test_padding_between_xz_streams_is_skipped_in_multiples_of_four(write):
    pack = COMPRESS[".xz"]
    for zeros in (4, 8, 200_000):
        padding = b"\0" * zeros
        corpus = TextCorpus(write(pack(b"a\n") + padding + pack(b"") + padding + pack(b"b\n") + padding, "a.xz"))
        assert b"".join(corpus.blocks()) == b"a\nb\n"
    for end in (pack(b"b\n"), b""):
        with pytest.raises(InputError, match=r"b\.xz is damaged: 6 zero bytes after a stream, not a multiple of 4"):
            list(TextCorpus(write(pack(b"a\n") + b"\0" * 6 + end, "b.xz")))
    with pytest.raises(InputError, match=r"c\.xz is damaged"):
        list(TextCorpus(write(b"".join([pack(b"a\n"), b"\0" * 4, b"text after the stream"]), "c.xz")))
    with pytest.raises(InputError, match=r"d\.bz2 is (damaged|truncated)"):
        list(TextCorpus(write(COMPRESS[".bz2"](b"a\n") + b"\0" * 40, "d.bz2")))


def test_missing_zstandard_error_names_the_extra(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(InputError, match=r"needs zstandard, which is .* pip install 'wordvec-seqclf\[zstd\]'"):
        list(TextCorpus(write(COMPRESS[".zst"](b"a"), "a.zst")))


def test_a_decompression_bomb_is_read_in_bounded_chunks(write):
    path = write(COMPRESS[".zst"](b"\n" * 30_000_000), "bomb.zst")
    blocks = TextCorpus(path).blocks(1000)
    assert next(blocks) == b"\n" * 1000
    assert path.stat().st_size < 10_000


def test_utf16_is_detected(write):
    with pytest.raises(InputError, match="byte 0xff at offset 0 is not UTF-8; it looks like UTF-16: re-encode"):
        list(TextCorpus(write("hello".encode("utf-16"))))


# -- fingerprints, progress, standard input ----------------------------------------------------------------------------


def test_fingerprint_depends_only_on_content_order_and_encoding_errors(write, tmp_path):
    one, two = write("ab", "1.txt"), write("c", "2.txt")
    first = TextCorpus(one, two).fingerprint()
    assert first == TextCorpus(one, two, tokenizer="words", lowercase=True).fingerprint()
    assert first == TextCorpus(write("ab", "x/other name.txt"), two).fingerprint()
    others = [
        TextCorpus(two, one).fingerprint(),
        TextCorpus(one, two, encoding_errors="replace").fingerprint(),
        TextCorpus(write("a", "3.txt"), write("bc", "4.txt")).fingerprint(),
        TextCorpus(write("abc", "5.txt")).fingerprint(),
        TextCorpus(one).fingerprint(),
    ]
    assert len({first, *others}) == 6
    assert re.fullmatch("[0-9a-f]{64}", first)


@pytest.mark.parametrize("ending", sorted(COMPRESS))
def test_checksums_do_not_depend_on_how_a_file_is_read(write, ending):
    text = b"".join(b"line %d\n" % number for number in range(30_000))
    files = [write(COMPRESS[ending](content), f"{len(content)}{ending}") for content in (b"", b"ab", text)]
    corpus = TextCorpus(*files)
    found = []
    for read in (corpus.fingerprint, lambda: list(corpus), lambda: list(corpus.blocks(1000))):
        read()
        found.append(corpus.checksums())
    assert found[0] == found[1] == found[2]
    corpus.check_unchanged(found[0])
    assert len(set(found[0])) == 3
    files[1].write_bytes(COMPRESS[ending](b"ba"))
    list(corpus)
    with pytest.raises(InputError, match=f"2{ending} changed while it was read; run again when nothing writes to it$"):
        corpus.check_unchanged(found[0])


def test_bytes_read_increases_during_iteration(write):
    corpus = TextCorpus(write(b"word " * 1000), write(b"other\n" * 1000, "two.txt"))
    assert corpus.bytes_read() == 0
    seen = [corpus.bytes_read() for _ in corpus.blocks(500)]
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] <= corpus.size() == corpus.bytes_read()
    next(iter(corpus.blocks(500)))
    assert corpus.bytes_read() == seen[0]


def stdin_of(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


@pytest.mark.parametrize("ending", sorted(COMPRESS))
def test_standard_input_can_be_reread(monkeypatch, tmp_path, ending):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    content = "eins zwei\nfünf".encode()
    stdin_of(monkeypatch, COMPRESS[ending](content))
    corpus = TextCorpus("-")
    assert list(corpus) == ["eins zwei", "fünf"]
    assert b"".join(corpus.blocks(1)) == content + b"\n"
    assert corpus.size() == len(COMPRESS[ending](content))
    assert corpus.fingerprint() == corpus.fingerprint()
    assert len(list(tmp_path.iterdir())) == 1
    del corpus
    assert list(tmp_path.iterdir()) == []


def test_standard_input_is_read_lazily(monkeypatch):
    stdin_of(monkeypatch, b"a\n")
    corpus = TextCorpus("-")
    assert sys.stdin.read() == "a\n"
    assert list(corpus) == []


def test_standard_input_may_be_text_or_missing(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("été\n"))
    assert read_lines("-") == ["été"]
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="there is no standard input to read; name a file"):
        read_lines("-")


def test_a_full_disk_while_spooling_standard_input_leaves_no_file(monkeypatch, tmp_path):
    class Full(io.RawIOBase):
        def read(self, size=-1):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": Full()}))
    with pytest.raises(
        InputError, match=r"standard input could not be copied to .*: no space left on device; set TMPDIR"
    ):
        list(TextCorpus("-"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no such device")
@pytest.mark.parametrize(
    "read", [lambda name: list(TextCorpus(name)), read_lines, read_labelled, read_tagged, read_series]
)
def test_endless_devices_are_rejected(read, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(InputError, match=r"^/dev/zero is a device, which may never end; name a file, or pipe a part"):
        read("/dev/zero")
    with open("/dev/urandom") as device:
        monkeypatch.setattr(sys, "stdin", device)
        with pytest.raises(InputError, match=r"^standard input is a device, which may never end"):
            read("-")
    assert not list(tmp_path.iterdir())


def test_the_null_device_is_empty():
    assert read_lines(os.devnull) == list(TextCorpus(os.devnull)) == []


class Endless(io.RawIOBase):
    """A stream that repeats ``content`` for ever."""

    def __init__(self, content):
        self.content = content

    def read(self, size=-1):
        assert size >= 0
        return (self.content * (size // len(self.content) + 1))[:size]


def test_an_endless_stream_without_white_space_is_rejected(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": Endless("日本".encode())}))
    with pytest.raises(InputError, match=r"^standard input has no white space in 64 MiB; is this text\?$"):
        list(TextCorpus("-"))
    assert not list(tmp_path.iterdir())


def test_the_length_of_an_endless_stream_is_logged(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("corpora.sources._ANNOUNCED", 3_000_000)
    stream = Endless(b"a b\n")
    read = stream.read
    stream.read = lambda size=-1: read(size) if len(caplog.messages) < 3 else b""
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": stream}))
    TextCorpus("-").size()
    assert [message.partition(",")[0] for message in caplog.messages] == [
        f"standard input has not ended after {size}" for size in ("3 MB", "6 MB", "13 MB")
    ]


@pytest.mark.parametrize("read", [read_lines, read_labelled, read_tagged, read_series])
def test_lines_have_a_maximum_length(read, write, monkeypatch):
    monkeypatch.setattr(readers, "MAX_LINE_BYTES", 3 << 20)
    path = write(b"a\tb c\n" + b"d\te, " * (1 << 20) + b"\n", "data.tsv")
    with pytest.raises(InputError, match=r"data.tsv has a line longer than 3 MiB; is this a file of texts\?$"):
        read(path)
    monkeypatch.setattr(readers, "MAX_LINE_BYTES", 6 << 20)
    assert len(read_lines(path)) == 2
    monkeypatch.setattr(readers, "MAX_LINE_BYTES", 1)
    assert len(list(TextCorpus(path))) == 2, "corpora may be a single line"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are not supported")
def test_pipes_in_a_folder_are_left_out(write, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    write("a b")
    assert list(TextCorpus(tmp_path)) == list(TextCorpus(tmp_path / "c*")) == ["a b"]
    (tmp_path / "link").symlink_to("missing")
    with pytest.raises(InputError, match="link is a link to missing, which does not exist"):
        TextCorpus(tmp_path)


def test_standard_input_needs_a_folder_for_temporary_files(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    stdin_of(monkeypatch, b"a b")
    with pytest.raises(InputError, match=r"^standard input could not be copied to .*: no such file.*; set TMPDIR to"):
        list(TextCorpus("-"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are not supported")
def test_a_named_pipe_is_spooled_like_standard_input(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    corpus = TextCorpus(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("a b\nc\n"))
    writer.start()
    assert list(corpus) == list(corpus) == ["a b", "c"]
    writer.join()


def test_only_unmodified_plain_text_reads_fast(write, tmp_path):
    plain = write("a b")
    (tmp_path / "packed.gz").write_bytes(gzip.compress(b"a"))
    (tmp_path / "unnamed").write_bytes(gzip.compress(b"a"))
    assert TextCorpus(plain).reads_fast()
    assert not TextCorpus(plain, lowercase=True).reads_fast()
    assert not TextCorpus(plain, tokenizer="words").reads_fast()
    assert not TextCorpus(plain, tmp_path / "packed.gz").reads_fast()
    assert not TextCorpus(tmp_path / "unnamed").reads_fast()


def test_read_lines_keeps_blank_lines(write):
    assert read_lines(write("a\n\n  b \r\n\n")) == ["a", "", "  b ", ""]
    assert read_lines(write(b"\xff\n"), encoding_errors="replace") == ["\ufffd"]
    with pytest.raises(InputError, match="encoding_errors must be"):
        read_lines(write("a"), encoding_errors="ignore")


def test_read_lines_requires_exactly_one_file(write, tmp_path):
    write("a", "1.txt")
    write("b", "2.txt")
    with pytest.raises(InputError, match="is a directory; name a file in it"):
        read_lines(tmp_path)
    with pytest.raises(InputError, match=r"matches 2 files; name one of them: .*1\.txt"):
        read_lines(f"{tmp_path}/*.txt")


# -- line ends --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\u2029", "\n\ufeff", "\r\n\ufeff", "\r\ufeff"])
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize("tokenizer", ["whitespace", "words"])
def test_every_kind_of_line_end_ends_a_sentence(write, end, size, tokenizer):
    lines = ["alpha beta", "", "gamma", "delta \u00e9t\u00e9"] * 5
    path = write(("\ufeff" + end.join(lines) + end).encode())
    corpus = TextCorpus(path, tokenizer=tokenizer)
    if end.endswith("\ufeff"):  # an empty last line, which is a mark only
        lines = [*lines, ""]
    assert list(corpus) == lines
    sentences = b"".join(corpus.blocks(size)).decode().split("\n")
    assert [sentence.split() for sentence in sentences] == [line.split() for line in [*lines, ""]]


def test_read_lines_splits_at_cr_only_without_lf(write):
    assert read_lines(write(b"one\rtwo\r\rfour\r")) == ["one", "two", "", "four"]
    assert read_lines(write(b"one\rtwo\nthree\n")) == ["one\rtwo", "three"]
    assert read_lines(write("a\nb\n\ufeffc\u2028d\n".encode())) == ["a", "b", "c\u2028d"]


def test_nul_characters_are_warned_of_once(write, caplog):
    corpus = TextCorpus(write(b"al\0pha beta\n" * 3))
    assert len(list(corpus.blocks(4))) > 1
    assert list(corpus)
    assert [message.split(" contains ")[1][:14] for message in caplog.messages] == ["NUL characters"]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"%PDF-1.4\n%\xe2\xe3", "a PDF document"),
        (b"{\\rtf1\\ansi text}\n", "an RTF document"),
        (b"PK\x03\x04\x14\0\0\0", "a zip archive, such as a .docx, .odt, .xlsx or .epub document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a document of Microsoft Office"),
    ],
)
def test_documents_are_refused_in_every_encoding(tmp_path, start, kind):
    path = tmp_path / "book.txt"
    path.write_bytes(start + b" more of it\n" * 9)
    for reading in ({}, {"encoding_errors": "replace"}, {"encoding": "latin-1"}):
        message = f"book.txt is {kind}, not text; save or export it as plain text first"
        with pytest.raises(InputError, match=re.escape(message)):
            list(TextCorpus(path, **reading).blocks())
        with pytest.raises(InputError, match=re.escape(message)):
            read_texts(path, **reading)
    path.write_bytes(b"On " + start)
    assert list(TextCorpus(path, encoding_errors="replace").blocks())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_byte_order_mark_is_detected(write, encoding):
    path = write("some words\nmore words\n".encode(encoding))
    with pytest.raises(
        InputError, match="every other byte is NUL; it looks like UTF-16: re-encode the file, or pass --enc"
    ):
        list(TextCorpus(path))
    with pytest.raises(InputError, match="it looks like UTF-16"):
        read_lines(path)
