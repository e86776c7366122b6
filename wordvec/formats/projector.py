"""Pair of files of the TensorFlow Embedding Projector: tab-separated numbers, and the words in a file next to it.

``vectors.tsv`` has a row of D numbers for each word, ``metadata.tsv`` a word per line; with several columns its first
line names them.
"""

import os
from pathlib import Path

from wordvec.errors import FormatError, InputError
from wordvec.formats import text_lines, word2vec_text
from wordvec.formats.sources import MAX_VECTOR_SIZE, VectorSource
from wordvec.formats.table import VectorTable
from wordvec.formats.targets import writing

_WORD_COLUMNS = (b"word", b"token", b"label", b"name")


def metadata_path(path: str | os.PathLike[str]) -> Path:
    """Return where the words of a file of numbers are.

    Example:
        >>> [metadata_path(name).name for name in ("vectors.tsv", "old_tensor.tsv.gz", "cats.tsv")]
        ['metadata.tsv', 'old_metadata.tsv', 'cats_metadata.tsv']
    """
    path = Path(path)
    name = path.name[:-3] if path.suffix.lower() == ".gz" else path.name
    for part in ("vectors", "tensors", "tensor"):
        if part in name:
            return path.with_name(name.replace(part, "metadata"))
    return path.with_name(f"{Path(name).stem}_metadata.tsv")


def looks_like(sample: bytes) -> bool:
    """Whether the first lines consist of equally many numbers separated by tabs."""
    first, _, rest = sample.partition(b"\n")
    size = _vector_size(first)
    return b"\0" not in sample and size > 0 and (not rest or _vector_size(rest) == size)


def declared(source: VectorSource) -> tuple[None, int]:
    """Return None (the format does not store V) and D."""
    size = _vector_size(source.sample())
    if not 1 <= size <= MAX_VECTOR_SIZE:
        raise FormatError(f"{source.name}:1: expected 1 to {MAX_VECTOR_SIZE:,} numbers separated by tabs")
    return None, size


def read(source: VectorSource, limit: int | None, skip_bad: bool = False) -> VectorTable:
    """Read vectors from a source positioned at its start, and their words from the file next to it.

    Raises:
        FormatError: the words are missing, or not one for each row; a row has another length, or is not finite.
    """
    _, vector_size = declared(source)
    words = _words(source)
    rows = text_lines.TextRows(source.name, vector_size, 0, skip_bad, source.encoding, source.words)
    done = 0
    for number, block in text_lines.line_blocks(source):
        lines = text_lines.split_lines(block)[: None if limit is None else limit - done]
        named = words[done : done + len(lines)]
        if len(named) < len(lines):
            raise FormatError(
                f"{source.name}:{number + len(named)}: no word for this row in {metadata_path(source.path)}"
            )
        done += len(lines)
        _add(rows, number, named, lines)
        if done == limit:
            break
    if limit is None and done != len(words):
        raise FormatError(f"{source.name}: {done:,} vectors for {len(words):,} words in {metadata_path(source.path)}")
    return rows.finish()


def write(table: VectorTable, path: str | os.PathLike[str]) -> None:
    """Write the numbers, with nine significant digits, and the words next to them.

    Raises:
        InputError: a token contains white space or is too long.
    """
    word2vec_text.check_tokens(table)
    with writing(path) as file:
        for block in word2vec_text.lines(table, named=False):
            file.write(block.replace(b" ", b"\t"))
    with writing(metadata_path(path)) as file:
        file.write("".join(f"{token}\n" for token in table.tokens).encode())


def _vector_size(sample: bytes) -> int:
    fields = sample.split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf").rstrip(b"\r").split(b"\t")
    return len(fields) if all(map(text_lines.is_number, fields)) else 0


def _words(source: VectorSource) -> list[bytes]:
    path = metadata_path(source.path)
    try:
        with VectorSource(path) as metadata:
            lines = [
                line.rstrip(b"\r")
                for _, block in text_lines.line_blocks(metadata)
                for line in text_lines.split_lines(block)
            ]
    except InputError as error:
        if path.exists():
            raise
        raise FormatError(
            f"{source.name}: numbers without words; an Embedding Projector file needs its words in {path} ({error})"
        ) from None
    if not lines or b"\t" not in lines[0]:
        return lines
    names = lines[0].lower().split(b"\t")
    column = next((names.index(name) for name in _WORD_COLUMNS if name in names), 0)
    return [(line.split(b"\t") + [b""] * column)[column] for line in lines[1:]]


def _add(rows: text_lines.TextRows, number: int, words: list[bytes], lines: list[bytes]) -> None:
    """Append rows; invalid ones raise FormatError or are skipped and counted."""
    plain = [b"x " + line.rstrip(b"\r").replace(b"\t", b" ") for line in lines]
    block = b"\n".join([*plain, b""])
    parsed = text_lines.parse_plain(block, rows.vector_size) if all(map(bytes.strip, words)) else None
    if parsed is not None:
        rows.add(words, parsed[1])
        return
    for place, (word, line) in enumerate(zip(words, plain, strict=True), number):
        try:
            _, vector = text_lines.parse_line(line, rows.vector_size, f"{rows.name}:{place}")
        except FormatError as error:
            rows.bad(str(error))
            continue
        if word.strip():
            rows.add([word], vector[None])
        else:
            rows.unnamed()
