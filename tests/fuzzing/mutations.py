"""Mutations of valid files: of bytes, of text, of JSON, of arrays, and of what containers hold.

Every function takes the content and a random generator (``random.Random``, or Hypothesis's stand-in for it) and returns
new content. Those of a container change what it holds and write a container that is valid again, so that damage reaches
the code behind the checks of lengths and checksums; they raise one of ``NOT_SPLIT`` if the content is not such a
container.
"""

import bz2
import gzip
import io
import json
import lzma
import math
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

Mutation = Callable[[bytes, random.Random], bytes]

NOT_SPLIT = (
    *(ValueError, LookupError, TypeError, AttributeError, EOFError, OSError, RecursionError, OverflowError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError),
)
"""What a mutation of a container raises if the content is not one."""

MOST_BYTES = 1 << 17
"""Larger results are cut: small files find the same faults sooner."""

_WHOLE = [0, 1, -1, 2, 7, 255, 256, 65_536, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53, 2**62, 2**63 - 1, -(2**63), 2**64]
_REAL = [0.5, -0.0, 1e-45, 1e38, -3.4e38, 1e39, 1e308, 5e-324, math.inf, -math.inf, math.nan]
_WRITTEN = [
    *map(str, _WHOLE),
    *("1e9", "1e999", "-1e400", "nan", "inf", "0x10", "1_000", "١٢", "1,5", "1.5.2", "+3", "9" * 400, "9" * 5000),
]
_SCRAPS = [
    *(b"", b"\0", b"\xff", b"\xfe", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xc3", b"\xed\xa0\x80", b"\r", b"\n", b"\n\n"),
    *(
        b"\t",
        b" ",
        b"  ",
        b",",
        b";",
        b'"',
        b'""',
        b"'",
        b"\\",
        b"#",
        b"# a = b",
        b"-DOCSTART-",
        b"__label__",
        b"_",
        b"|",
    ),
    *(b": x", b"</s>", b"{", b"}", b"[", b"]", b"null", b"NaN", b"true", b"[" * 3000, b'{"a":' * 3000, b"a" * 400),
    *(b"2024-02-30", b"99:99", b"O", b"B-X", b"I-X", b"1-2", b"1.1", b"text", b"label", b"date", b"\x1f\x8b\x08"),
]


def changed(content: bytes, random: random.Random, inner: tuple[Mutation, ...] = (), other: bytes = b"") -> bytes:
    """Apply one to four mutations, of the bytes or, if there are any, of what the container holds.

    Args:
        content: a file.
        random: the source of every choice.
        inner: the mutations of its container.
        other: another file, parts of which may be inserted.
    """
    for _ in range(random.choice([1, 1, 1, 2, 2, 3, 4])):
        try:
            mutation = random.choice(inner) if inner and random.random() < 0.75 else None
            content = mutation(content, random) if mutation else changed_bytes(content, random, other)
        except NOT_SPLIT:
            content = changed_bytes(content, random, other)
    return content[:MOST_BYTES]


def changed_bytes(content: bytes, random: random.Random, other: bytes = b"") -> bytes:
    """Change bytes, lines or written numbers."""
    return random.choice(_OF_BYTES)(content, random, other or content)


def _cut(content: bytes, random: random.Random, other: bytes) -> bytes:
    return content[: _place(content, random)]


def _flip(content: bytes, random: random.Random, other: bytes) -> bytes:
    if not content:
        return b"\1"
    place = random.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << random.randrange(8)]) + content[place + 1 :]


def _insert(content: bytes, random: random.Random, other: bytes) -> bytes:
    place = _place(content, random)
    return content[:place] + random.choice(_SCRAPS) + content[place + random.choice([0, 0, 1, 4]) :]


def _splice(content: bytes, random: random.Random, other: bytes) -> bytes:
    first, last = sorted([_place(other, random), _place(other, random)])
    place = _place(content, random)
    return content[:place] + other[first:last] + content[place + random.choice([0, last - first]) :]


def _duplicate(content: bytes, random: random.Random, other: bytes) -> bytes:
    first, last = sorted([_place(content, random), _place(content, random)])
    return content[:last] + content[first:last] * random.choice([1, 1, 2, 9]) + content[last:]


def _delete(content: bytes, random: random.Random, other: bytes) -> bytes:
    first, last = sorted([_place(content, random), _place(content, random)])
    return content[:first] + content[last:]


def _overwrite_number(content: bytes, random: random.Random, other: bytes) -> bytes:
    code = random.choice("bBhHiIqQfdeq")
    size = struct.calcsize(code)
    place = random.randrange(max(1, len(content) // size)) * size
    return content[:place] + _packed(code, random) + content[place + size :]


def _overwrite_written(content: bytes, random: random.Random, other: bytes) -> bytes:
    numbers = list(re.finditer(rb"[-+]?\d[\d.,eE]*", content[:MOST_BYTES]))
    if not numbers:
        return _insert(content, random, other)
    found = random.choice(numbers)
    return content[: found.start()] + random.choice(_WRITTEN).encode() + content[found.end() :]


def _change_lines(content: bytes, random: random.Random, other: bytes) -> bytes:
    lines = content.split(b"\n")
    place = random.randrange(len(lines))
    match random.randrange(4):
        case 0:
            lines[place:place] = [lines[place]] * random.choice([1, 2, 50])
        case 1:
            del lines[place]
        case 2:
            lines[place], lines[-1] = lines[-1], lines[place]
        case _:
            cells = re.split(rb"([\t,; ])", lines[place])
            cells[random.randrange(len(cells))] = random.choice(_SCRAPS)
            lines[place] = b"".join(cells)
    return b"\n".join(lines)


_OF_BYTES = [
    *(_cut, _flip, _flip, _insert, _insert, _splice, _duplicate, _delete),
    *(_overwrite_number, _overwrite_number, _overwrite_written, _overwrite_written, _change_lines, _change_lines),
]


def _place(content: bytes, random: random.Random) -> int:
    return random.randrange(len(content) + 1)


def _packed(code: str, random: random.Random) -> bytes:
    if code in "fde":
        value = random.choice(_REAL)
        with np.errstate(over="ignore"):
            return np.array(value).astype({"f": "<f4", "d": "<f8", "e": "<f2"}[code]).tobytes()
    size = struct.calcsize(code)
    return (random.choice(_WHOLE) % 256**size).to_bytes(size, "little")


# -- JSON -------------------------------------------------------------------------------------------------------------


def changed_json(content: bytes, random: random.Random) -> bytes:
    """Change one value, key or list of a JSON text, also inside strings that are JSON themselves."""
    return json.dumps(_changed_value(json.loads(content), random), ensure_ascii=random.random() < 0.5).encode(
        errors="surrogatepass"
    )


def _changed_value(value: Any, random: random.Random) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        return changed_json(value.encode(), random).decode(errors="surrogatepass")
    if isinstance(value, dict | list) and value and random.random() < 0.85:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = random.choice(keys)
        if random.random() < 0.75:
            value[key] = _changed_value(value[key], random)
        elif isinstance(value, list):
            value[key : key + random.randrange(2)] = [value[key]] * random.randrange(3)
        elif random.random() < 0.6:
            del value[key]
        else:
            value[random.choice([*keys, key + "x", "x", ""])] = value[key]
        return value
    if isinstance(value, int | float) and random.random() < 0.5:
        return random.choice([value + 1, value - 1, -value, value * 2, float(value), value * 2**40])
    return random.choice(
        [
            *_WHOLE,
            *_REAL,
            10**400,
            None,
            True,
            False,
            "",
            "x",
            "\ud800",
            "a\nb",
            "é" * 200,
            [],
            {},
            [[]],
            [value],
            {"x": value},
        ]
    )


# -- containers -------------------------------------------------------------------------------------------------------


def in_json_header(content: bytes, random: random.Random) -> bytes:
    """Change the header of a safetensors file and adapt its length."""
    header, body = _header_and_body(content)
    return _joined(changed_json(header, random), body)


def in_arrays(content: bytes, random: random.Random) -> bytes:
    """Change an array of a safetensors file, and adapt the header to its new size."""
    text, body = _header_and_body(content)
    header = json.loads(text)
    names = [name for name in header if name != "__metadata__"]
    arrays = {name: body[slice(*header[name]["data_offsets"])] for name in names}
    chosen = random.choice(names)
    match random.randrange(6):
        case 0:
            del arrays[chosen]
        case 1:
            header[random.choice([*names, "x"])] = dict(header[chosen])
            arrays = {name: arrays.get(name, arrays[chosen]) for name in header if name != "__metadata__"}
        case 2:
            _resize(header[chosen], arrays, chosen, random)
        case 3:
            entry = header[chosen]
            entry["dtype"] = random.choice(["F32", "F64", "I32", "I64", "U8", "F16", "BF16", "BOOL", "U64", "I8"])
            entry["shape"] = [len(arrays[chosen]) // _SIZES[entry["dtype"]]]
            arrays[chosen] = arrays[chosen][: entry["shape"][0] * _SIZES[entry["dtype"]]]
        case _:
            arrays[chosen] = _changed_numbers(arrays[chosen], _CODES[header[chosen]["dtype"]], random)
    entries: dict[str, Any] = {"__metadata__": header.get("__metadata__")}
    start = 0
    for name, array in arrays.items():
        entries[name] = header[name] | {"data_offsets": [start, start + len(array)]}
        start += len(array)
    return _joined(json.dumps(entries).encode(), b"".join(arrays.values()))


_CODES = {
    "F32": "f",
    "F64": "d",
    "I32": "i",
    "I64": "q",
    "U8": "B",
    "F16": "e",
    "BF16": "H",
    "BOOL": "B",
    "U64": "Q",
    "I8": "b",
}
_SIZES = {name: struct.calcsize(code) for name, code in _CODES.items()}


def _resize(entry: dict[str, Any], arrays: dict[str, bytes], name: str, random: random.Random) -> None:
    shape = entry["shape"]
    match random.randrange(4):
        case 0 if shape:
            axis = random.randrange(len(shape))
            shape[axis] = random.choice([0, 1, shape[axis] + 1, max(0, shape[axis] - 1), shape[axis] * 2])
        case 1:
            shape.append(1)
        case 2 if shape:
            shape[:] = [math.prod(shape)]
        case _:
            shape[:] = shape[::-1]
    size = math.prod(shape) * _SIZES[entry["dtype"]]
    if size > MOST_BYTES:
        raise ValueError("too large")
    array = arrays[name] or b"\0"
    arrays[name] = (array * (size // len(array) + 1))[:size]


def _changed_numbers(array: bytes, code: str, random: random.Random) -> bytes:
    size = struct.calcsize(code)
    for _ in range(random.choice([1, 1, 2, 5])):
        place = random.randrange(max(1, len(array) // size)) * size
        array = array[:place] + _packed(code, random) + array[place + size :]
    return array


def _header_and_body(content: bytes) -> tuple[bytes, bytes]:
    end = 8 + int.from_bytes(content[:8], "little")
    if end > len(content):
        raise ValueError("not a safetensors file")
    return content[8:end], content[end:]


def _joined(header: bytes, body: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + body


def in_archive(content: bytes, random: random.Random) -> bytes:
    """Change a member of a zip archive, whose checksums are right again."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = random.choice(sorted(members))
    match random.randrange(10):
        case 0:
            del members[name]
        case 1:
            members[random.choice(sorted(members))] = members[name]
        case 2 | 3 if members[name].startswith(b"\x93NUMPY"):
            members[name] = _changed_array_header(members[name], random)
        case 4 | 5 | 6 if members[name].startswith(b"\x93NUMPY"):
            start = 10 + int.from_bytes(members[name][8:10], "little")
            code = random.choice("iqdfB")
            members[name] = members[name][:start] + _changed_numbers(members[name][start:], code, random)
        case 7 if b"{" in members[name]:
            start = members[name].rindex(b"}\n") + 2 if members[name].startswith(b"\x93NUMPY") else 0
            members[name] = members[name][:start] + changed_json(members[name][start:], random)
        case _:
            members[name] = changed_bytes(members[name], random)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", random.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return out.getvalue()


def _changed_array_header(member: bytes, random: random.Random) -> bytes:
    start = 10 + int.from_bytes(member[8:10], "little")
    header, body = member[10:start], member[start:]
    match random.randrange(3):
        case 0:
            header = re.sub(rb"\((\d+),", b"(%d," % abs(random.choice(_WHOLE)), header)
        case 1:
            dtype = random.choice(
                [b"<i4", b"<i8", b"<f8", b"|u1", b"|O", b"<U9", b">i4", b"<c16", b"<M8[s]", b"|V0", b"|S3"]
            )
            header = re.sub(rb"'[<>|=]\w+'", b"'" + dtype + b"'", header)
        case _:
            header = changed_bytes(header, random)
    return member[:8] + len(header).to_bytes(2, "little") + header + body


def in_compressed(ending: str) -> Mutation:
    """Return a mutation of the text inside a compressed file."""
    compress, decompress = _COMPRESSIONS[ending]

    def mutation(content: bytes, random: random.Random) -> bytes:
        if random.randrange(4) == 0:
            return content + random.choice([compress(b"more words\n"), b"\0" * 4, b"\0", content])
        inner = decompress(content)
        return compress(changed_bytes(inner, random) if len(inner) < MOST_BYTES else inner[:1000])

    return mutation


def _unpacked_frame(content: bytes) -> bytes:
    import zstandard

    try:
        return zstandard.ZstdDecompressor().decompress(content, MOST_BYTES)
    except zstandard.ZstdError as error:
        raise ValueError(error) from None


def packed_frame(content: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor().compress(content)


_COMPRESSIONS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    ".gz": (lambda content: gzip.compress(content, 1, mtime=0), gzip.decompress),
    ".bz2": (lambda content: bz2.compress(content, 1), bz2.decompress),
    ".xz": (lambda content: lzma.compress(content, preset=0), lzma.decompress),
    ".zst": (packed_frame, _unpacked_frame),
}


def compressed(ending: str, content: bytes) -> bytes:
    """Compress with the method that an extension names."""
    return _COMPRESSIONS[ending][0](content)
