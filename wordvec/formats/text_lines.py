"""Parser for the body of word2vec and GloVe text: lines of a token and D numbers.

A block of plain lines is parsed by one NumPy call or, in large files, by a kernel, which lets other threads parse the
next ones. If any line is not plain (tabs, a token with spaces, an invalid number), the block is parsed again line by
line, which is slower and reports the exact error.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

import numpy as np

from wordvec.errors import FormatError
from wordvec.formats.rows import Rows
from wordvec.formats.sources import MAX_LINE_BYTES, VectorSource
from wordvec.system.threads import available_cores
from wordvec.system.wording import counted

_BLOCK_BYTES = 1 << 20
_MOST_THREADS = 4
"""The text is read and cut in one thread, which feeds no more."""
_COMPILED_BYTES = 48 << 20
"""Size of files from which on a kernel parses: NumPy takes longer than to load Numba and to compile."""
_BOM = b"\xef\xbb\xbf"

_IN_NUMBERS = b"0123456789+-.eE "

Parsed: TypeAlias = tuple[bytes, np.ndarray] | None
"""Tokens with newlines between, and their (n, D) float32 vectors; None: the lines may not be plain."""


def line_blocks(source: VectorSource, first: int = 1) -> Iterator[tuple[int, bytes]]:
    """Yield blocks of whole lines, about a megabyte each, with the 1-based number of their first line, from the line
    ``first``, which is 1 or 2. Each line ends with a newline, also the last one."""
    number, rest = 1, source.read(len(_BOM)).removeprefix(_BOM)
    while chunk := source.read(_BLOCK_BYTES):
        end = chunk.rfind(b"\n") + 1
        if not end:
            rest += chunk
            if len(rest) > MAX_LINE_BYTES:
                raise FormatError(
                    f"{source.name}:{number}: line longer than {MAX_LINE_BYTES:,} bytes; not a vector file"
                )
            continue
        lines = rest + chunk[:end]
        yield _from(first, number, lines)
        number, rest = number + lines.count(b"\n"), chunk[end:]
    if rest:
        yield _from(first, number, rest if rest.endswith(b"\n") else rest + b"\n")


def _from(first: int, number: int, lines: bytes) -> tuple[int, bytes]:
    return (number, lines) if number >= first else (first, lines[lines.find(b"\n") + 1 :])


def split_lines(block: bytes) -> list[bytes]:
    """Return the lines of a block, without their newlines."""
    return block.split(b"\n")[:-1]


def parser_of(source: VectorSource) -> Callable[[bytes, int], Parsed]:
    """Return the faster parser of plain lines for a file of this size."""
    return parse_compiled if source.size >= _COMPILED_BYTES else parse_plain


class TextRows(Rows):
    """Rows parsed from lines of text."""

    _blank = 0

    def add_blocks(
        self,
        blocks: Iterable[tuple[int, bytes]],
        parse: Callable[[bytes, int], Parsed],
        limit: int | None = None,
    ) -> Iterator[None]:
        """Parse blocks of lines, each with the number of its first line, in threads, and append them in order.

        Args:
            parse: the parser of plain lines, see ``parser_of``.

        Yields:
            After each block.

        Raises:
            FormatError: a line is not a token and D finite numbers, or is blank and followed by another vector.
        """
        threads = min(available_cores(), _MOST_THREADS)
        with ThreadPoolExecutor(threads) as pool:
            ahead: deque[tuple[int, bytes, Future[Parsed]]] = deque()
            coming = iter(blocks)
            while True:
                while len(ahead) <= threads and (block := next(coming, None)) is not None:
                    ahead.append((*block, pool.submit(parse, block[1], self.vector_size)))
                if not ahead or (limit is not None and self.read >= limit):
                    return
                number, lines, parsed = ahead.popleft()
                left = None if limit is None else limit - self.read
                whole = left is None or left >= lines.count(b"\n")
                self._add_lines(number, lines, left, parsed.result() if whole else None)
                yield

    def _add_lines(self, number: int, lines: bytes, limit: int | None, parsed: Parsed) -> None:
        if parsed is None or self._blank:
            self.add(*self._parse_each(number, split_lines(lines), limit))
        else:
            self.add_joined(*parsed)

    def _parse_each(self, number: int, lines: list[bytes], limit: int | None) -> tuple[list[bytes], np.ndarray]:
        """Return the tokens and vectors of the first ``limit`` rows; blank lines are none."""
        left = len(lines) if limit is None else limit
        tokens: list[bytes] = []
        vectors = np.empty((min(left, len(lines)), self.vector_size), dtype=np.float32)
        for place, line in enumerate(lines, number):
            if not left:
                break
            if not line.strip():
                self._blank = self._blank or place
                continue
            left -= 1
            if self._blank:
                self.bad(f"{self.name}:{self._blank}: a blank line between vectors", rows=0)
                self._blank = 0
            if has_no_token(line, self.vector_size):
                self.unnamed()
                continue
            try:
                token, vector = parse_line(line, self.vector_size, f"{self.name}:{place}")
            except FormatError as error:
                self.bad(str(error))
                continue
            vectors[len(tokens)] = vector
            tokens.append(token)
        return tokens, vectors[: len(tokens)]


def parse_plain(block: bytes, vector_size: int) -> Parsed:
    """Parse whole lines of a token and D finite numbers, separated by single spaces, by NumPy.

    Returns:
        The tokens and their (n, D) float32 vectors, or None if any line may not be plain.
    """
    tokens, rests = [], []
    for line in split_lines(block):
        token, _, rest = line.rstrip().partition(b" ")
        if not token or rest.count(b" ") != vector_size - 1:
            return None
        tokens.append(token)
        rests.append(rest)
    named, joined = b"\n".join(tokens), b" ".join(rests)
    if named.split() != tokens or joined.startswith(b" ") or b"  " in joined:
        return None
    # Every field yields at least one number or stops the parser, so a matching count means one number per field. The
    # last field is only a sign that the parser was not stopped.
    if joined.translate(None, _IN_NUMBERS):
        return None
    with np.errstate(over="ignore"):
        try:
            numbers = np.fromstring(joined + b" 0", dtype=np.float32, sep=" ")
        except (DeprecationWarning, ValueError):
            return None
    if len(numbers) != len(tokens) * vector_size + 1 or not np.isfinite(numbers).all():
        return None
    return named, numbers[:-1].reshape(len(tokens), vector_size)


def parse_compiled(block: bytes, vector_size: int) -> Parsed:
    """Parse lines as ``parse_plain``, to the same bits, by a kernel; lines that it does not read are left to NumPy."""
    from wordvec.kernels.decimals import POWERS, parse_lines

    vectors = np.empty((block.count(b"\n"), vector_size), np.float32)
    letters = np.empty(len(block), np.uint8)
    written = parse_lines(np.frombuffer(block, np.uint8), POWERS, vectors, letters)
    return parse_plain(block, vector_size) if written < 0 else (letters[: written - 1].tobytes(), vectors)


def parse_line(line: bytes, vector_size: int, place: str) -> tuple[bytes, np.ndarray]:
    """Parse one line into its token and its (D,) float32 vector.

    Fields are separated by ASCII white space. A token may contain spaces, as some GloVe tokens do, if none of its later
    parts is a number.

    Raises:
        FormatError: the line is malformed; the message starts with ``place``.
    """
    fields = line.split()
    extra = len(fields) - vector_size - 1
    if extra < 0 or any(is_number(field) for field in fields[1 : extra + 1]):
        raise FormatError(
            f"{place}: expected a token and {vector_size} numbers, found {counted(len(fields), 'column')}; "
            f"the line is truncated or merged with another"
        )
    for field in fields[extra + 1 :]:
        if not is_number(field):
            raise FormatError(f"{place}: expected a number, found {_shown(field)}")
    with np.errstate(over="ignore"):
        vector = np.array([float(field) for field in fields[extra + 1 :]], dtype=np.float32)
    if not np.isfinite(vector).all():
        wrong = fields[extra + 1 + int(np.isfinite(vector).argmin())]
        raise FormatError(f"{place}: expected finite numbers (float32), found {_shown(wrong)}")
    return b" ".join(fields[: extra + 1]), vector


def has_no_token(line: bytes, vector_size: int) -> bool:
    """Whether a line is D numbers after white space: its token is empty or white space, as in some public files."""
    if line[:1] not in (b" ", b"\t"):
        return False
    fields = line.split()
    return len(fields) == vector_size and all(map(is_number, fields))


def is_number(field: bytes) -> bool:
    """Whether ``field`` parses as a number, including NaN and infinity."""
    try:
        float(field)
    except ValueError:
        return False
    return b"_" not in field


def _shown(field: bytes) -> str:
    text = field[:40].decode("utf-8", "replace")
    return repr(text + "..." if len(field) > 40 else text)
