"""EncodedCorpus: a text as the ids of its tokens, written once and memory-mapped from then on."""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

import numpy as np

from corpora import TextCorpus, get_tokenizer
from wordvec.errors import InputError, VocabularyError
from wordvec.scanning import Scanner
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)

_FORMAT = 2
"""Raised when the files below change, so that no older ones are read."""

_CACHE_BYTES = 4 << 30
"""What the cache folder may hold unless WORDVEC_CACHE_BYTES says otherwise."""

_PIECE = 1 << 20
"""Tokens renumbered at a time."""


class EncodedCorpus:
    """Token ids and sentence offsets: sentence s is ``ids[offsets[s]:offsets[s + 1]]``.

    Tokens that are not in the vocabulary are left out; every line of the text keeps its sentence, even an empty one.

    Attributes:
        vocabulary: V tokens by falling count, those of equal count in the order of their bytes.
        ids: (N,) int32, read only, usually memory-mapped.
        offsets: (S + 1,) int64, read only.
        raw_tokens, raw_types: what the text had before ``min_count`` and ``max_vocabulary``.
        tokenizer, lowercase: how the text was cut into tokens.

    Example:
        >>> corpus = encode_corpus(["a rose is a rose", "is it"], min_count=2)
        >>> corpus.vocabulary.tokens, corpus.ids.tolist(), corpus.offsets.tolist()
        (['a', 'is', 'rose'], [0, 2, 1, 0, 2, 1], [0, 5, 6])
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        ids: np.ndarray,
        offsets: np.ndarray,
        *,
        raw_tokens: int,
        raw_types: int,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
    ) -> None:
        self.vocabulary = vocabulary
        self.ids = ids
        self.offsets = offsets
        self.raw_tokens = raw_tokens
        self.raw_types = raw_types
        self.tokenizer = tokenizer
        self.lowercase = lowercase

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"EncodedCorpus({len(self.ids):,} tokens, {len(self):,} sentences, {len(self.vocabulary):,} types)"


def encode_corpus(
    corpus: TextCorpus | Iterable[str] | Iterable[list[str]],
    *,
    min_count: int = 5,
    max_vocabulary: int | None = None,
    tokenizer: str = "whitespace",
    lowercase: bool = False,
    cache: bool = True,
    on_progress: Callable[[int, int], None] | None = None,
) -> EncodedCorpus:
    """Count the tokens of a corpus, choose its vocabulary and write it down as ids, in one pass over the text.

    Args:
        corpus: a ``TextCorpus`` (whose own tokeniser and casing count), or texts, or lists of tokens; a one-shot
            generator will do. A text is one sentence.
        min_count: tokens seen less often are left out.
        max_vocabulary: keep at most this many, the most frequent.
        tokenizer, lowercase: how texts are cut into tokens; lists of tokens are taken as they are.
        cache: keep the ids of a ``TextCorpus`` in the cache folder and find them again by its content.
        on_progress: called with bytes read and bytes in all, for a ``TextCorpus``.

    Raises:
        VocabularyError: no token at all, or none left.
        InputError: settings out of range, or text that cannot be read.
    """
    if min_count < 1:
        raise InputError(f"min_count must be at least 1, got {min_count}")
    if max_vocabulary is not None and max_vocabulary < 1:
        raise InputError(f"max_vocabulary must be at least 1, got {max_vocabulary}")
    if isinstance(corpus, TextCorpus):
        return _encode_text_corpus(corpus, min_count, max_vocabulary, cache, on_progress)
    get_tokenizer(tokenizer)
    blocks, token_lists = _blocks_of(corpus, tokenizer, lowercase)
    with _new_folder() as folder:
        _write(folder, blocks, token_lists, min_count, max_vocabulary, tokenizer, lowercase)
        return _open_owned(folder)


def _encode_text_corpus(
    corpus: TextCorpus,
    min_count: int,
    max_vocabulary: int | None,
    cache: bool,
    on_progress: Callable[[int, int], None] | None,
) -> EncodedCorpus:
    def blocks() -> Iterator[bytes]:
        total = corpus.size()
        for block in corpus.blocks(_BLOCK):
            yield block
            if on_progress is not None:
                on_progress(corpus.bytes_read(), total)

    home = _cache_folder() if cache else None
    if home is None:
        with _new_folder() as folder:
            _write(folder, blocks(), None, min_count, max_vocabulary, corpus.tokenizer, corpus.lowercase)
            return _open_owned(folder)
    limit = _cache_limit()
    settings = [_FORMAT, corpus.fingerprint(), corpus.tokenizer, corpus.lowercase, min_count, max_vocabulary]
    target = home / hashlib.blake2b(json.dumps(settings).encode(), digest_size=16).hexdigest()
    if target.exists():
        try:
            found = _open(target)
            os.utime(target)
        except (OSError, ValueError, LookupError, TypeError):
            _log.info("the encoded corpus in the cache is damaged (%s): encoding anew", target)
            shutil.rmtree(target, ignore_errors=True)
        else:
            _log.info("found the encoded corpus in the cache (%s)", target)
            return found
    with _new_folder(home) as folder:
        _write(folder, blocks(), None, min_count, max_vocabulary, corpus.tokenizer, corpus.lowercase)
        try:
            os.rename(folder, target)  # before any file in it is open: Windows would not have it
            encoded = _open(target)
        except OSError:  # another process was first: these files say the same and go when the corpus does
            encoded = _open_owned(folder)
    _trim_cache(home, limit, keep=target)
    return encoded


_BLOCK = 1 << 20
"""Bytes of text scanned at a time."""


def _blocks_of(
    corpus: Iterable[str] | Iterable[list[str]], tokenizer: str, lowercase: bool
) -> tuple[Iterator[bytes] | None, Iterator[list[str]] | None]:
    """The texts as blocks of bytes, or the lists of tokens, whichever the first item is."""
    if isinstance(corpus, str | bytes):
        raise InputError("expected several texts or lists of tokens, got one string; put it into a list")
    items: Iterator[Any] = iter(corpus)
    first = next(items, None)
    if first is None:
        raise VocabularyError("the corpus is empty; give it at least one text")
    items = chain([first], items)
    if isinstance(first, str):
        return _text_blocks(items, tokenizer, lowercase), None
    return None, items


def _text_blocks(texts: Iterator[str], tokenizer: str, lowercase: bool) -> Iterator[bytes]:
    normalize = get_tokenizer(tokenizer).normalize
    waiting: list[str] = []
    size = 0
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"item {number} is of type {type(text).__name__}, the first is a text; give one kind")
        waiting.append(normalize(text, lowercase).replace("\n", " "))
        size += len(text)
        if size >= _BLOCK:
            yield _encoded_lines(waiting)
            waiting, size = [], 0
    if waiting:
        yield _encoded_lines(waiting)


def _encoded_lines(lines: list[str]) -> bytes:
    try:
        return ("\n".join(lines) + "\n").encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"a text holds {error.object[error.start]!r}, half of a character, which cannot be written as UTF-8; "
            "read the texts with errors='replace'"
        ) from None


@contextlib.contextmanager
def _new_folder(parent: Path | None = None) -> Iterator[Path]:
    """A fresh folder, in the cache or among the temporary files, that is removed after an error."""
    folder = Path(tempfile.mkdtemp(prefix="new-" if parent else "wordvec-", dir=parent))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _write(
    folder: Path,
    blocks: Iterator[bytes] | None,
    token_lists: Iterator[list[str]] | None,
    min_count: int,
    max_vocabulary: int | None,
    tokenizer: str,
    lowercase: bool,
) -> None:
    """Write the corpus into ``folder``."""
    scanner = Scanner()
    with open(folder / "numbers", "wb") as numbers, open(folder / "ends", "wb") as ends:
        if blocks is not None:
            for block in blocks:
                scanner.scan(np.frombuffer(block, np.uint8), numbers, ends)
        else:
            scanner.scan_lists(token_lists or iter(()), numbers, ends)
    tokens, counts, id_of_number = scanner.choose(min_count, max_vocabulary)
    raw = {"raw_tokens": int(scanner.counts.sum()), "raw_types": len(scanner.counts)}
    _check_vocabulary(tokens, scanner.counts, min_count)
    del scanner
    with open(folder / "ids", "wb") as ids, open(folder / "offsets", "wb") as offsets:
        _renumber(folder, id_of_number, ids, offsets)
    os.unlink(folder / "numbers")
    os.unlink(folder / "ends")
    with open(folder / "vocabulary.json", "w", encoding="utf-8") as file:
        json.dump({"tokens": tokens, "counts": counts.tolist()}, file)
    with open(folder / "corpus.json", "w", encoding="utf-8") as file:
        json.dump({**raw, "tokenizer": tokenizer, "lowercase": lowercase}, file, sort_keys=True)


def _renumber(folder: Path, id_of_number: np.ndarray, ids: IO[bytes], offsets: IO[bytes]) -> None:
    from wordvec.kernels.tokenize import renumber

    numbers = _map(folder / "numbers", np.int32)
    ends = np.asarray(_map(folder / "ends", np.int64))
    places = np.zeros(len(ends) + 1, np.int64)
    piece = np.empty(_PIECE, np.int32)
    kept = sentence = 0
    for first in range(0, max(len(numbers), 1), _PIECE):
        part = np.asarray(numbers[first : first + _PIECE])
        written, sentence = renumber(part, id_of_number, piece, ends, sentence, first, kept, places)
        ids.write(piece[:written].tobytes())
        kept += written
    offsets.write(places.tobytes())


def _check_vocabulary(tokens: list[str], counts: np.ndarray, min_count: int) -> None:
    if len(counts) == 0:
        raise VocabularyError("the corpus has no token; give it some text")
    if not tokens:
        raise VocabularyError(
            f"no token occurs at least min_count = {min_count} times (the most frequent occurs {counts.max():,} "
            "times); lower min_count"
        )


def _map(path: Path, dtype: type) -> np.ndarray:
    """The numbers in a file, memory-mapped; an empty file cannot be mapped."""
    if path.stat().st_size == 0:
        return np.empty(0, dtype)
    return np.memmap(path, dtype, mode="r")


def _open(folder: Path) -> EncodedCorpus:
    with open(folder / "corpus.json", encoding="utf-8") as file:
        facts = json.load(file)
    with open(folder / "vocabulary.json", encoding="utf-8") as file:
        words = json.load(file)
    ids, offsets = _map(folder / "ids", np.int32), _map(folder / "offsets", np.int64)
    if offsets[-1] != len(ids):
        raise ValueError(f"{folder} is damaged")
    return EncodedCorpus(Vocabulary(words["tokens"], words["counts"]), ids, offsets, **facts)


def _open_owned(folder: Path) -> EncodedCorpus:
    """As ``_open``; the folder goes when the corpus does."""
    encoded = _open(folder)
    weakref.finalize(encoded, shutil.rmtree, folder, ignore_errors=True)
    return encoded


def _cache_folder() -> Path | None:
    """Where encoded corpora are kept; None when there is no such place to write to."""
    named = os.environ.get("WORDVEC_CACHE")
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wordvec"
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _log.warning("the cache folder %s cannot be made (%s); the corpus is encoded anew each time", base, error)
        return None
    return base if os.access(base, os.W_OK) else None


def _cache_limit() -> int:
    """Bytes that the cache folder may hold."""
    named = os.environ.get("WORDVEC_CACHE_BYTES", "").strip()
    if named and not named.isdecimal():
        raise InputError(f"WORDVEC_CACHE_BYTES must be a whole number of bytes, got {named!r}")
    return int(named) if named else _CACHE_BYTES


def _trim_cache(home: Path, limit: int, keep: Path) -> None:
    """Remove the corpora that were not used for longest until the rest fits, and what a killed process left behind."""
    aged = []
    for folder in home.iterdir():
        with contextlib.suppress(OSError):
            age = folder.stat().st_mtime
            if folder.name.startswith("new-"):
                if time.time() - age > 24 * 3600:
                    shutil.rmtree(folder, ignore_errors=True)
            elif folder.is_dir():
                aged.append((age, sum(f.stat().st_size for f in folder.iterdir()), folder))
    total = sum(size for _, size, _ in aged)
    for _, size, folder in sorted(aged):
        if total > limit and folder != keep:
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
