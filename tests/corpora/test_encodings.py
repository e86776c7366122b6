"""Text in other encodings than UTF-8."""

import gzip

import pytest

from corpora import InputError, TextCorpus, read_labelled, read_lines, read_tagged, read_texts
from wordvec import FormatError, encode_corpus, load_vectors

TEXT = "le caf\u00e9 \u00e0 No\u00ebl\r\nd\u00e9j\u00e0 vu\n"


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-be", "utf-32", "utf-8-sig", "UTF8"])
@pytest.mark.parametrize("repeated", [1, 9000])
def test_text_is_transcoded_whatever_the_block_size(tmp_path, encoding, repeated):
    path = tmp_path / "text.txt.gz"
    path.write_bytes(gzip.compress((TEXT * repeated).encode(encoding)))
    expected = TEXT.replace("\r", "").splitlines() * repeated
    assert read_lines(path, encoding=encoding) == expected
    corpus = TextCorpus(path, encoding=encoding)
    assert list(corpus) == expected
    for size in (7, 1 << 20):
        assert b"".join(corpus.blocks(size)).decode().split() == TEXT.split() * repeated
    assert corpus.bytes_read() == corpus.size()


@pytest.mark.parametrize("encoding", ["gb18030", "shift_jis", "euc_kr", "big5"])
def test_multibyte_characters_split_between_reads(tmp_path, encoding):
    letters = {"gb18030": "\u4e2d\u6587", "shift_jis": "\u6771\u4eac", "euc_kr": "\ud55c\uad6d", "big5": "\u53f0\u7063"}
    path = tmp_path / "text.txt"
    path.write_bytes(("a " + f"{letters[encoding]} " * 40_000).encode(encoding))
    found = encode_corpus(TextCorpus(path, encoding=encoding), min_count=1, cache=False).vocabulary
    assert found.tokens == [letters[encoding], "a"]
    assert found.counts.tolist() == [40_000, 1]


def test_encodings_are_cached_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("WORDVEC_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "text.txt"
    path.write_bytes("\u20ac 5".encode("cp1252"))
    for encoding, euro in (("cp1252", "\u20ac"), ("cp1251", "\u0402"), ("cp1252", "\u20ac")):
        assert euro in encode_corpus(TextCorpus(path, encoding=encoding), min_count=1).vocabulary


def test_labeled_and_tagged_files(tmp_path):
    table, tagged = tmp_path / "data.tsv", tmp_path / "tags.conll"
    table.write_text("caf\u00e9\td\u00e9j\u00e0 vu\nth\u00e9\tno\u00ebl\n", encoding="utf-16")
    tagged.write_text("No\u00ebl\tN\n", encoding="latin-1")
    assert read_labelled(table, encoding="utf-16") == (["d\u00e9j\u00e0 vu", "no\u00ebl"], ["caf\u00e9", "th\u00e9"])
    assert read_texts(table, encoding="utf-16") == ["d\u00e9j\u00e0 vu", "no\u00ebl"]
    assert read_tagged(tagged, encoding="latin-1") == ([["No\u00ebl"]], [["N"]])


def test_invalid_bytes_are_named_or_replaced(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"a b\n" * 20_000 + b"caf\x81 c\n")
    with pytest.raises(InputError, match=r"byte 0x81 at offset 80003 is not cp1252; name another encoding"):
        read_lines(path, encoding="cp1252")
    assert read_lines(path, encoding="cp1252", encoding_errors="replace")[-1] == "caf\ufffd c"
    path.write_bytes("odd".encode("utf-16")[:-1])
    with pytest.raises(InputError, match="is not utf-16"):
        read_lines(path, encoding="utf-16")


@pytest.mark.parametrize("errors", ["strict", "replace"])
def test_utf_16_is_not_read_as_utf_8_with_replaced_bytes(tmp_path, errors):
    path = tmp_path / "text.txt"
    path.write_text("one two", encoding="utf-16")
    with pytest.raises(InputError, match="looks like UTF-16: re-encode the file, or pass --encoding utf-16"):
        read_lines(path, encoding_errors=errors)


@pytest.mark.parametrize("encoding", ["klingon", "base64", "", None, "a\0b", (), ("utf-16", None)])
def test_unknown_encodings_are_rejected(tmp_path, encoding):
    path = tmp_path / "text.txt"
    path.write_text("a")
    with pytest.raises(InputError, match="encoding must be a text encoding of Python such as utf-8"):
        read_lines(path, encoding=encoding)


def test_tokens_of_vector_files(tmp_path):
    text, binary = tmp_path / "v.vec", tmp_path / "v.bin"
    text.write_bytes("2 1\ncaf\u00e9 1\nth\u00e9 2\n".encode("latin-1"))
    binary.write_bytes(b"1 1\ncaf\xe9 \0\0\x80\x3f\n")
    assert load_vectors(text, encoding="latin-1").tokens == ["caf\u00e9", "th\u00e9"]
    assert load_vectors(binary, encoding="latin-1").tokens == ["caf\u00e9"]
    assert load_vectors(text).tokens == ["caf\ufffd", "th\ufffd"]
    load_vectors(text, encoding="latin-1").save(tmp_path / "v.safetensors")
    for path, encoding, message in (
        (text, "utf-16", "encoding of vector files must contain ASCII"),
        (tmp_path / "v.safetensors", "latin-1", "tokens in .safetensors files are UTF-8"),
    ):
        with pytest.raises((InputError, FormatError), match=message):
            load_vectors(path, encoding=encoding)
