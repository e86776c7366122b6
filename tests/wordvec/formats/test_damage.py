"""Damaged, foreign and malicious vector files: rejected with the place and the rule, in bounded memory."""

import gzip
import json
import os
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from tests.wordvec.formats.test_formats import WRITTEN, wide_vectors, write
from wordvec import FormatError, InputError, WordVectors, load_documents, load_vectors
from wordvec.formats import text_lines
from wordvec.formats.registry import describe
from wordvec.formats.safetensors import pack_tokens
from wordvec.formats.tensors import TensorFile


@pytest.fixture
def wv():
    return wide_vectors()


# -- damage -----------------------------------------------------------------------------------------------------------

BINARY = b"2 2\naa " + np.array([1, 2], "<f4").tobytes() + b"bb " + np.array([3, 4], "<f4").tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"hello world\n", "not a vector file of a known format"),
        (b"\n\n\n", "not a vector file of a known format"),
        (bytes(range(256)) * 4, "not a vector file of a known format"),
        (b"\x80\x04\x95abc", r"a Python pickle, .* save_word2vec_format\(\)"),
        (b"PK\x03\x04abcdef", "zip archive"),
        (b"\x93NUMPY\x01\x00", "NumPy array"),
        (b"BZh91AY&SY", "bzip2; name it .bz2"),
        (b"\xfd7zXZ\x00\x00", "xz; name it .xz"),
        (b"\xba\x16\x4f\x2f\x0c\x00\x00\x00", "fastText model"),
        (b"0 5\n", "declares 0 vectors"),
        (b"5 0\na\n", "vectors of 0 numbers; expected 1 to 65,536"),
        (b"1 70000\n" + b"a" + b" 1" * 70000, "vectors of 70,000 numbers; expected 1 to 65,536"),
        (b"1000000000000 100\na 1 2\n", "1,000,000,000,000 vectors of 100 numbers, at least .* but the file has 24"),
        (
            b"3 2\na 1 2\nb 3 4\n",
            r"declares 3 vectors of 2 numbers, at least 15 bytes, but the file has 16|3 vectors, found 2",
        ),
        (b"3 2\na 1.5 2\nb 3 4\n", "truncated: its first line declares 3 vectors, found 2"),
        (b"1 2\na 1 2\nb 3 4\n", "v:3: extra line after the 1 vectors"),
        (b"2 2\na 1 2\nb 3\n", "v:3: expected a token and 2 numbers, found 2 columns"),
        (b"2 2\na 1 2\nb 3 4 5\n", "v:3: expected a token and 2 numbers, found 4 columns"),
        (b"2 2\na 1 2 3\nb 4\n", "v:2: expected a token and 2 numbers, found 4 columns"),
        (b"2 2\na 1 2\nb 3 x\n", "v:3: expected a number, found 'x'"),
        (b"2 2\na 1 2\nb 3 1_0\n", "v:3: expected a number, found '1_0'"),
        (b"2 2\na 1.2.3 4\nb  5\n", "v:2: expected a number, found '1.2.3'"),
        (b"2 2\na 1 2\nb 3 nan\n", "v:3: expected finite numbers .*found 'nan'"),
        (b"2 2\na 1 -inf\nb 3 4\n", "v:2: expected finite numbers .*found '-inf'"),
        (b"2 2\na 1 2\nb 3 1e39\n", "v:3: expected finite numbers .*found '1e39'"),
        (b"2 2\na 1 2\n\nb 3 4\n", "v:3: a blank line between"),
        (b"a 1 2\n\nb 3 4\n", "v:2: a blank line between"),
        (b"a 1 2\nb 3\n", "v:2: expected a token and 2 numbers, found 2 columns"),
        (b"a 1 2\nb 3 4 5\n", "v:2: expected a token and 2 numbers, found 4 columns"),
        (BINARY[:-1], "2 vectors of 2 numbers, at least 20 bytes|2 vectors, found 1"),
        (BINARY[:-9], "2 vectors of 2 numbers|2 vectors, found 1"),
        (BINARY + b"\n\n", None),
        (BINARY + b"x", "extra bytes after the 2 vectors"),
        (BINARY.replace(b"aa ", b"a\nb "), "the token of vector 1 has a newline"),
        (BINARY.replace(b"\x00\x00\x80\x40", b"\x00\x00\x80\x7f"), r"vector 2 \('bb'\) contains NaN or infinity"),
        (BINARY.replace(b"bb ", b"b" * 12_000 + b" "), "the token of vector 2 is longer than 10,000 bytes"),
    ],
)
def test_damaged_file_errors_name_place_and_rule(tmp_path, content, message):
    path = write(tmp_path / "v", content)
    if message is None:
        assert load_vectors(path).tokens == ["aa", "bb"]
        return
    with pytest.raises(FormatError, match=message) as caught:
        load_vectors(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("format", ["text", "binary", "glove", "safetensors"])
def test_random_bytes_are_rejected_under_any_name(tmp_path, format):
    noise = np.random.default_rng(1).bytes(5000)
    for name in WRITTEN.values():
        path = write(tmp_path / name, noise)
        with pytest.raises(FormatError, match=name):
            load_vectors(path)
        with pytest.raises(FormatError, match=name):
            load_vectors(path, format=format)


def test_overlong_lines_are_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "MAX_LINE_BYTES", 1000)
    monkeypatch.setattr(text_lines, "_BLOCK_BYTES", 100)
    path = write(tmp_path / "v.txt", b"a 1 2\n" + b"b" * 5000)
    with pytest.raises(FormatError, match=r"v\.txt:2: line longer than 1,000 bytes"):
        load_vectors(path)


def test_a_huge_declared_size_allocates_no_memory(tmp_path):
    body = b"".join(b"t%d 1 2 3\n" % row for row in range(200))
    for content in (b"60000 3\n" + body, b"60000 3\n" + body + bytes(1_000_000)):
        path = write(tmp_path / "v.txt.gz", gzip.compress(content))
        tracemalloc.start()
        with pytest.raises(FormatError):
            load_vectors(path)
        assert tracemalloc.get_traced_memory()[1] < 12_000_000
        tracemalloc.stop()


@pytest.mark.parametrize("keep", [3, 12, 60, -9, -1])
def test_truncated_compressed_files(tmp_path, keep):
    whole = gzip.compress("".join(f"t{row} {row} {row + 1}\n" for row in range(200)).encode())
    path = write(tmp_path / "v.txt.gz", whole[:keep])
    with pytest.raises(FormatError, match="damaged or truncated"):
        load_vectors(path)
    broken = bytearray(whole)
    broken[len(broken) // 2] ^= 255
    with pytest.raises(FormatError):
        load_vectors(write(path, bytes(broken)))


def test_compressed_safetensors_are_rejected(wv, tmp_path):
    wv.save(tmp_path / "v.safetensors")
    path = write(tmp_path / "v.safetensors.gz", gzip.compress((tmp_path / "v.safetensors").read_bytes()))
    with pytest.raises(FormatError, match="compressed with gzip; decompress it first"):
        load_vectors(path)


def test_invalid_paths(tmp_path):
    for ask in (load_vectors, describe):
        for path, message in [
            (tmp_path, "is a directory"),
            (tmp_path / "none.txt", r"none\.txt: no such file"),
            (f"{tmp_path}/a\0b", "cannot be read|no such file"),
            (tmp_path / ("x" * 300), "cannot be read|no such file"),
        ]:
            with pytest.raises(InputError, match=message):
                ask(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are not supported")
@pytest.mark.parametrize("read", [load_vectors, describe, load_documents, TensorFile])
def test_pipes_and_devices_are_rejected(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(InputError, match=rf"^{path} is not a regular file; copy it to one first$"):
            read(path)


# -- damaged native files ---------------------------------------------------------------------------------------------


def tampered(wv, path, change_tensors=None, change_about=None, **other):
    tensors = {"vectors": wv.vectors, "counts": wv.counts, "context_vectors": wv.context_vectors}
    tensors["token_bytes"], tensors["token_offsets"] = pack_tokens(wv.tokens)
    about = {"kind": "vectors", "version": 1, "tokenizer": "words", "lowercase": True, "settings": {}}
    tensors |= change_tensors or {}
    about |= change_about or {}
    about = {key: value for key, value in about.items() if value is not ...}
    metadata = other or {"wordvec": json.dumps(about)}
    return write(path, save({key: value for key, value in tensors.items() if value is not None}, metadata))


@pytest.mark.parametrize(
    ("tensors", "about", "message"),
    [
        ({"vectors": None}, {}, "'vectors' is missing"),
        ({"token_bytes": None}, {}, "'token_bytes' is missing"),
        ({"token_offsets": None}, {}, "'token_offsets' is missing"),
        ({"vectors": np.ones((13, 5))}, {}, r"must be F32 with 2 dimensions, got F64 of shape \(13, 5\)"),
        ({"vectors": np.ones((12, 5), np.float32)}, {}, r"must have shape \(13,\), got \(14,\)"),
        ({"context_vectors": np.ones((13, 4), np.float32)}, {}, r"must have shape \(13, 5\), got \(13, 4\)"),
        ({"counts": np.arange(12)}, {}, r"must have shape \(13,\), got \(12,\)"),
        ({"counts": -np.arange(13)}, {}, "counts must not be negative"),
        ({"counts": np.ones(13)}, {}, "'counts' must be I64"),
        ({"vectors": np.full((13, 5), np.nan, np.float32)}, {}, "NaN or infinity in row 0"),
        ({"token_offsets": np.arange(14)}, {}, "bytes after the last token"),
        ({"token_offsets": np.full(14, 42)}, {}, "token_offsets must increase"),
        ({"token_offsets": np.arange(14) * 10**15}, {}, "token_offsets must increase"),
        ({"token_offsets": -np.arange(14)}, {}, "token_offsets must increase|bytes after"),
        ({"token_offsets": np.array([0, 2**63 - 1, -5, *range(3, 13), 42])}, {}, "must increase from 0 to 42, got -5"),
        ({"token_bytes": np.full(42, 255, np.uint8)}, {}, "not valid UTF-8"),
        ({"token_bytes": np.full(42, 97, np.uint8)}, {}, "tokens must be distinct"),
        ({}, {"kind": "corpus"}, "expected vectors, found 'corpus'"),
        ({}, {"kind": ...}, "expected vectors, found None"),
        ({}, {"version": 2}, "version must be 1, got 2; it was written by a newer release, so upgrade"),
        ({}, {"version": "x"}, "version must be 1, got 'x'$"),
        ({}, {"tokenizer": 3}, "'tokenizer' as str"),
        ({}, {"lowercase": ...}, "'lowercase' as bool"),
        ({}, {"settings": []}, "'settings' as dict"),
    ],
)
def test_inconsistent_arrays_and_metadata(wv, tmp_path, tensors, about, message):
    assert pack_tokens(wv.tokens)[1][-1] == 42
    path = tampered(wv, tmp_path / "v.safetensors", tensors, about)
    with pytest.raises(FormatError, match=message) as caught:
        load_vectors(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("metadata", ["", "{", "[]", "[" * 100_000, "9" * 5000, '{"kind": NaN}', "null"])
def test_invalid_json_metadata(wv, tmp_path, metadata):
    with pytest.raises(FormatError, match=r"v\.safetensors: (its metadata 'wordvec'|expected vectors)"):
        load_vectors(tampered(wv, tmp_path / "v.safetensors", wordvec=metadata))


def test_foreign_safetensors_files(wv, tmp_path):
    path = tampered(wv, tmp_path / "v.safetensors", format="pt")
    with pytest.raises(FormatError, match="its metadata has no key 'wordvec'"):
        load_vectors(path)
    with pytest.raises(FormatError, match="unsupported safetensors file"):
        describe(path)
    model = tampered(wv, tmp_path / "m.safetensors", seqclf="{}")
    with pytest.raises(FormatError, match=r"m\.safetensors holds a model of seqclf .*, not vectors"):
        load_vectors(model)


def test_truncated_or_extended_native_files(tmp_path):
    path = tmp_path / "v.safetensors"
    WordVectors(["a", "bc"], np.eye(2)).save(path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        write(path, whole[:size])
        for ask in (load_vectors, describe):
            with pytest.raises(FormatError, match=r"v\.safetensors"):
                ask(path)
    with pytest.raises(FormatError):
        load_vectors(write(path, whole + b"x"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=12))
def test_native_files_with_corrupted_bytes(wv, tmp_path, place, patch):
    path = tmp_path / "v.safetensors"
    wv.save(path)
    content = bytearray(path.read_bytes())
    place %= len(content)
    content[place : place + len(patch)] = patch
    write(path, bytes(content))
    for ask in (load_vectors, describe):
        found = outcome(ask, path)
        assert not isinstance(found, InputError) or "v.safetensors" in str(found)


# -- fuzzing ----------------------------------------------------------------------------------------------------------

_SCRAPS = st.sampled_from(
    [bytes([byte]) for byte in b"a1._ \t\n\0\xff"]
    + [b"b ", b"\r\n", b"-0.5", b" 1 2\n", b"a 1 2\n", b"nan", b"inf", b"e9", b"2 2\n", b"1 1\n", b"3 1\n"]
    + [b"9999999999 2\n", b"\0\0\x80?", b"\xc3\xa9", b"\x02\0\0\0\0\0\0\0", b"{}"]
)


def outcome(ask, *arguments, **options):
    """Return the result of a call, or the InputError it raises; any other exception propagates."""
    try:
        return ask(*arguments, **options)
    except InputError as error:
        return error


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(st.binary(max_size=200), st.lists(_SCRAPS, max_size=25).map(b"".join)),
    st.sampled_from(sorted(WRITTEN.values())),
    st.sampled_from([None, "floret", *WRITTEN]),
    st.booleans(),
    st.sampled_from([None, 1, 5]),
)
@example(b"2 2", "v.bin", None, True, None)
@example(b"1 1\n1 1\n", "v.glove", "glove", False, None)
def test_arbitrary_bytes_give_vectors_or_an_input_error(tmp_path, content, name, format, zipped, limit):
    path = write(tmp_path / name, gzip.compress(content) if zipped else content)
    found = outcome(load_vectors, path, format=format, limit=limit)
    if isinstance(found, WordVectors):
        assert 1 <= len(found) <= (limit or 200)
        assert np.isfinite(found.vectors).all()
    else:
        assert name in str(found)
    about = outcome(describe, path)
    assert about["bytes"] == path.stat().st_size if isinstance(about, dict) else name in str(about)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(_SCRAPS, max_size=8).map(b"".join), min_size=1, max_size=4), st.integers(1, 3))
@example([b"a\t 1"], 1)
@example([b"a 1.2.3 4", b"b  5"], 2)
def test_fast_and_slow_line_parsers_agree(lines, size):
    lines = [line for text in lines for line in text.split(b"\n")]
    block = b"\n".join([*lines, b""])
    for parse in (text_lines.parse_plain, text_lines.parse_compiled):
        fast = parse(block, size)
        if fast is not None:
            slow = [text_lines.parse_line(line, size, "here") for line in lines]
            assert fast[0].split(b"\n") == [token for token, _ in slow]
            assert fast[1].tobytes() == np.array([vector for _, vector in slow], np.float32).tobytes()
