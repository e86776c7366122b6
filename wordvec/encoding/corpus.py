"""EncodedCorpus: a corpus as memory-mapped token ids, with a cache on disk."""

import contextlib
import hashlib
import json
import logging
import mmap
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from corpora import TextCorpus, get_tokenizer
from wordvec.encoding.scanning import Counter, Table, encode, join_tokens, split_tokens
from wordvec.encoding.text_blocks import blocks_of
from wordvec.encoding.vocabulary_rules import MAX_TYPES, Rules, word_list
from wordvec.errors import InputError
from wordvec.system.progress import OnProgress, reporter
from wordvec.system.structures import check_ids, check_offsets
from wordvec.system.threads import worker_count
from wordvec.system.validation import check_flag, check_whole
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)

_FORMAT = 4
"""Incremented when the file layout below changes, so that older cache entries are ignored."""

_CACHE_BYTES = 4 << 30
"""Default size limit of the cache folder; WORDVEC_CACHE_BYTES overrides it."""

_BLOCK = 1 << 18
"""Bytes of text per block scanned by a thread."""

_PIECE = 1 << 20
"""Ids counted per step."""


class EncodedCorpus:
    """Token ids and sentence offsets: sentence s is ``ids[offsets[s]:offsets[s + 1]]``.

    Out-of-vocabulary tokens are dropped; every line of the text remains a sentence, even an empty one.

    Attributes:
        vocabulary: V tokens by descending count, ties in byte order.
        ids: (N,) int32, read-only, usually memory-mapped.
        offsets: (S + 1,) int64, read-only.
        raw_tokens, raw_types: tokens and types of the text before any were dropped. ``raw_types`` is the vocabulary
            size if a vocabulary was given, and the number of types left in memory if ``count_error`` is not 0.
        count_error: an upper bound on how much counts are too low, and on the count of a missing word; 0 unless
            the types exceeded ``max_types_in_memory``.
        tokenizer, lowercase: how the text was tokenized.

    Raises:
        InputError: an id is not in the vocabulary, or the offsets do not increase from 0 to N.

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
        count_error: int = 0,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
    ) -> None:
        for name, array, dtype in (("ids", ids, "int32"), ("offsets", offsets, "int64")):
            found = getattr(array, "dtype", type(array).__name__)
            if not isinstance(array, np.ndarray) or found != dtype:
                raise InputError(f"{name} must be an {dtype} array, got {found}; use numpy.asarray({name}, '{dtype}')")
        check_ids("ids", ids, len(vocabulary))
        check_offsets("offsets", offsets, len(ids))
        self.vocabulary = vocabulary
        self.ids = ids
        self.offsets = offsets
        self.raw_tokens = check_whole("raw_tokens", raw_tokens, 0)
        self.raw_types = check_whole("raw_types", raw_types, 0)
        self.count_error = check_whole("count_error", count_error, 0)
        self.tokenizer = get_tokenizer(tokenizer).name
        self.lowercase = check_flag("lowercase", lowercase)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"EncodedCorpus({len(self.ids):,} tokens, {len(self):,} sentences, {len(self.vocabulary):,} types)"


def encode_corpus(
    corpus: TextCorpus | Iterable[str] | Iterable[list[str]],
    *,
    min_count: int = 5,
    max_vocabulary: int | None = None,
    keep_words: str | os.PathLike[str] | Iterable[str] = (),
    drop_words: str | os.PathLike[str] | Iterable[str] = (),
    vocabulary: Vocabulary | None = None,
    max_types_in_memory: int = MAX_TYPES,
    tokenizer: str = "whitespace",
    lowercase: bool = False,
    cache: bool = True,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> EncodedCorpus:
    """Count the tokens of a corpus, select its vocabulary and encode the corpus as ids.

    The text is read twice, or copied to a temporary file if reading it is slow or possible only once. Memory usage does
    not depend on its length, nor the result on the number of threads.

    Args:
        corpus: a ``TextCorpus`` (with its own tokenizer and casing), texts, or lists of tokens; a one-shot generator
            is allowed. Each text is one sentence.
        min_count: drop tokens that occur less often.
        max_vocabulary: keep only the most frequent tokens, at most this many.
        keep_words: words to keep however rare, if they occur at all: an iterable, or a file with one word per line.
            They are lower-cased if the text is.
        drop_words: words to exclude from the vocabulary, specified likewise.
        vocabulary: use this vocabulary, in its row order and with its counts (computed from this text if it has none),
            instead of counting; ``min_count`` is then ignored.
        max_types_in_memory: above this number of distinct tokens, the rarest are discarded, and counts may be too low
            by up to ``count_error``. A million types takes about 100 MB.
        tokenizer, lowercase: how texts are tokenized; lists of tokens are used as they are.
        cache: cache the ids of a ``TextCorpus`` on disk, keyed by its content.
        threads: None means one per core.
        on_progress: called a few times a second, for a ``TextCorpus``.

    Raises:
        InputError: the corpus has no tokens, or none remain in the vocabulary.
        InputError: settings are out of range or contradictory, or the input is unreadable.
    """
    get_tokenizer(tokenizer)
    if isinstance(corpus, TextCorpus):
        tokenizer, lowercase = corpus.tokenizer, corpus.lowercase
        lower = lowercase
    else:
        blocks, lower = blocks_of(corpus, tokenizer, lowercase)
    rules = Rules(
        min_count=min_count,
        max_vocabulary=max_vocabulary,
        keep=word_list(keep_words, "keep_words", lower),
        drop=word_list(drop_words, "drop_words", lower),
        vocabulary=vocabulary,
        max_types=max_types_in_memory,
    )
    rules.check()
    writer = _Writer(rules, worker_count(threads), tokenizer, lowercase)
    if isinstance(corpus, TextCorpus):
        return _encode_text_corpus(corpus, writer, cache, reporter(on_progress, "reading", "bytes"))
    with _new_folder() as folder:
        writer.write(folder, lambda: blocks, again=False)
        return _open_owned(folder)


def _encode_text_corpus(
    corpus: TextCorpus, writer: "_Writer", cache: bool, on_progress: Callable[[float, float], None] | None
) -> EncodedCorpus:
    again = corpus.reads_fast()
    readings = 2 if again and writer.rules.vocabulary is None else 1
    before = 0

    def blocks() -> Iterator[bytes]:
        nonlocal before
        total = corpus.size()
        for block in corpus.blocks(_BLOCK):
            yield block
            if on_progress is not None:
                on_progress((before + corpus.bytes_read()) // readings, total)
        before += total

    home = _cache_folder() if cache else None
    if home is None:
        with _new_folder() as folder:
            writer.write(folder, blocks, again)
            return _open_owned(folder)
    limit = _cache_limit()
    settings = [_FORMAT, corpus.fingerprint(), corpus.tokenizer, corpus.lowercase, writer.rules.fingerprint()]
    target = home / hashlib.blake2b(json.dumps(settings).encode(), digest_size=16).hexdigest()
    if target.exists():
        try:
            found = _open(target)
            os.utime(target)
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            _log.warning("the encoded corpus in the cache is damaged (%s: %.200s): encoding it again", target, error)
            shutil.rmtree(target, ignore_errors=True)
        else:
            _log.info("using the cached encoded corpus (%s)", target)
            return found
    with _new_folder(home) as folder:
        writer.write(folder, blocks, again)
        try:
            os.rename(folder, target)  # before any file in it is opened, which would fail on Windows
            encoded = _open(target)
        except OSError:  # another process was first; use these identical files and remove them with the corpus
            encoded = _open_owned(folder)
    _trim_cache(home, limit, keep=target)
    return encoded


# -- the folder of an encoded corpus ----------------------------------------------------------------------------------


@contextlib.contextmanager
def _new_folder(parent: Path | None = None) -> Iterator[Path]:
    """Create a folder in ``parent`` or among the temporary files, removed after an error."""
    folder = Path(tempfile.mkdtemp(prefix="new-" if parent else "wordvec-", dir=parent))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class _Writer:
    """Writes an encoded corpus into a folder: ids, offsets, vocabulary, metadata."""

    def __init__(self, rules: Rules, threads: int, tokenizer: str, lowercase: bool) -> None:
        self.rules = rules
        self.threads = threads
        self.facts: dict[str, Any] = {"tokenizer": tokenizer, "lowercase": lowercase}

    def write(self, folder: Path, read: Callable[[], Iterator[bytes]], again: bool) -> None:
        """Write the corpus whose blocks ``read`` yields; ``again``: whether it can be called more than once."""
        spool = folder / "text"
        given = self.rules.vocabulary
        counts: np.ndarray | None
        if given is None:
            blocks = read()
            if not again:
                blocks, read = _copied(blocks, spool), lambda: _copies(spool)
            words, counts = self._count(blocks)
        else:
            words, counts = join_tokens(given.tokens), given.counts
            self.facts |= {"raw_types": len(given)}
        table = Table.of(words)
        with open(folder / "ids", "wb") as ids, open(folder / "offsets", "wb") as offsets:
            self.facts["raw_tokens"] = encode(read(), table, self.threads, ids, offsets)
        spool.unlink(missing_ok=True)
        if (folder / "ids").stat().st_size == 0:
            raise InputError("no word of the vocabulary occurs in the corpus; compare their casing and tokenizer")
        if counts is None:
            counts = _count_ids(_map(folder / "ids", np.int32), len(table))
        (folder / "tokens").write_bytes(words)
        (folder / "counts").write_bytes(counts.tobytes())
        self.facts["checksum"] = _checksum(folder)
        (folder / "corpus.json").write_text(json.dumps(self.facts, sort_keys=True), encoding="utf-8")

    def _count(self, blocks: Iterator[bytes]) -> tuple[bytes, np.ndarray]:
        """Return the tokens of the vocabulary, joined, and their counts."""
        counter = Counter(self.threads, self.rules.max_types, self.rules.keep)
        counter.count(blocks)
        numbers = self.rules.choose(counter)
        self.facts |= {"raw_types": int(np.count_nonzero(counter.table.counts)), "count_error": counter.error}
        return counter.table.spell(numbers), counter.table.counts[numbers]


def _copied(blocks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """Yield the blocks, also writing each to a file, prefixed by its length."""
    with open(path, "wb") as file:
        for block in blocks:
            file.write(len(block).to_bytes(8, "little"))
            file.write(block)
            yield block


def _copies(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while size := file.read(8):
            yield file.read(int.from_bytes(size, "little"))


def _count_ids(ids: np.ndarray, types: int) -> np.ndarray:
    counts = np.zeros(types, np.int64)
    for first in range(0, len(ids), _PIECE):
        counts += np.bincount(ids[first : first + _PIECE], minlength=types)
    return counts


def _map(path: Path, dtype: type) -> np.ndarray:
    """Memory-map the numbers in a file; an empty file, which cannot be mapped, gives an empty array."""
    if path.stat().st_size == 0:
        return np.empty(0, dtype)
    numbers = np.memmap(path, dtype, mode="r")
    # Lanes read in turns, a pattern that the system's read-ahead does not detect; without this it fetches single pages.
    if hasattr(mmap, "MADV_SEQUENTIAL"):
        numbers._mmap.madvise(mmap.MADV_SEQUENTIAL)  # type: ignore[attr-defined]
    return numbers


def _checksum(folder: Path) -> int:
    """Return the sum of the 64-bit words of the arrays, which a changed, missing or zeroed part changes."""
    total = 0
    for name in ("ids", "offsets", "tokens", "counts"):
        content = _map(folder / name, np.uint8)
        words, rest = content[: len(content) // 8 * 8].view(np.uint64), content[len(content) // 8 * 8 :]
        for first in range(0, len(words), _PIECE):
            total += int(np.add.reduce(words[first : first + _PIECE]))
        total += int.from_bytes(rest.tobytes(), "little") + len(content)
    return total % 2**63


def _open(folder: Path) -> EncodedCorpus:
    """Open an encoded corpus.

    Raises:
        ValueError, LookupError, TypeError: a file is damaged.
    """
    with open(folder / "corpus.json", encoding="utf-8") as file:
        facts = json.load(file)
    if not isinstance(facts, dict):
        raise TypeError("corpus.json must be an object")
    if facts.pop("checksum") != _checksum(folder):
        raise ValueError("its checksum differs")
    tokens = split_tokens((folder / "tokens").read_bytes())
    counts = np.frombuffer((folder / "counts").read_bytes(), np.int64)
    ids, offsets = _map(folder / "ids", np.int32), _map(folder / "offsets", np.int64)
    return EncodedCorpus(Vocabulary(tokens, counts), ids, offsets, **facts)


def _open_owned(folder: Path) -> EncodedCorpus:
    """Open a folder that is removed together with the corpus."""
    encoded = _open(folder)
    weakref.finalize(encoded, shutil.rmtree, folder, ignore_errors=True)
    return encoded


def _cache_folder() -> Path | None:
    """Return the cache folder, or None if it is not writable."""
    named = os.environ.get("WORDVEC_CACHE")
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wordvec"
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _log.warning("the cache folder %s cannot be created (%s); encoded corpora are not cached", base, error)
        return None
    return base if os.access(base, os.W_OK) else None


def _cache_limit() -> int:
    """Return the size limit of the cache folder in bytes."""
    named = os.environ.get("WORDVEC_CACHE_BYTES", "").strip()
    if named and not named.isdecimal():
        raise InputError(f"WORDVEC_CACHE_BYTES must be a whole number of bytes, got {named!r}")
    return int(named) if named else _CACHE_BYTES


def _trim_cache(home: Path, limit: int, keep: Path) -> None:
    """Remove the least recently used corpora until the rest fit, and leftovers of killed processes."""
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
