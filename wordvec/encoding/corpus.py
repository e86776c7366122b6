"""EncodedCorpus: a corpus as memory-mapped token ids, with a cache on disk."""

import contextlib
import errno
import hashlib
import io
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
from typing import IO, Any

import numpy as np

from corpora import TextCorpus, get_tokenizer
from corpora.leftovers import Claim, sweep
from wordvec.encoding.provisional_ids import ProvisionalIds
from wordvec.encoding.scanning import Counter, Table, encode, join_tokens, split_tokens
from wordvec.encoding.text_blocks import blocks_of
from wordvec.encoding.vocabulary_rules import MAX_TYPES, Rules, word_list
from wordvec.errors import InputError
from wordvec.system.progress import OnProgress, reporter
from wordvec.system.scratch import temporary_folder
from wordvec.system.structures import check_ids, check_offsets, freeze_arrays, owned
from wordvec.system.threads import worker_count
from wordvec.system.validation import check_flag, check_kind, check_whole
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

_DISK_ERRORS = {errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC)}


class EncodedCorpus:
    """Token ids and sentence offsets: sentence s is ``ids[offsets[s]:offsets[s + 1]]``.

    Out-of-vocabulary tokens are dropped; every line of the text remains a sentence, even an empty one.

    Attributes:
        vocabulary: V tokens by descending count, ties in byte order.
        ids: (N,) int32, read-only, usually memory-mapped; a writable array is copied.
        offsets: (S + 1,) int64, likewise.
        raw_tokens, raw_types: tokens and types of the text before any were dropped. ``raw_types`` is the vocabulary
            size if a vocabulary was given, and the number of types left in memory if ``count_error`` is not 0.
        count_error: an upper bound on how much counts are too low, and on the count of a missing word; 0 unless
            the types exceeded ``max_types_in_memory``.
        tokenizer, lowercase, normalize: how the text was tokenized.

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
        normalize: str = "none",
    ) -> None:
        for name, array, dtype in (("ids", ids, "int32"), ("offsets", offsets, "int64")):
            found = getattr(array, "dtype", type(array).__name__)
            if not isinstance(array, np.ndarray) or found != dtype:
                raise InputError(f"{name} must be an {dtype} array, got {found}; use numpy.asarray({name}, '{dtype}')")
        check_ids("ids", ids, len(check_kind("vocabulary", vocabulary, Vocabulary)))
        check_offsets("offsets", offsets, len(ids))
        self.vocabulary = vocabulary
        self.ids = owned(np.ascontiguousarray(ids))
        self.offsets = owned(np.ascontiguousarray(offsets))
        self.raw_tokens = check_whole("raw_tokens", raw_tokens, 0)
        self.raw_types = check_whole("raw_types", raw_types, 0)
        self.count_error = check_whole("count_error", count_error, 0)
        self.tokenizer = get_tokenizer(tokenizer).name
        self.lowercase = check_flag("lowercase", lowercase)
        self.normalize = normalize

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        freeze_arrays(state.values())

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
    normalize: str = "NFC",
    cache: bool = True,
    threads: int | None = None,
    on_progress: OnProgress | None = None,
) -> EncodedCorpus:
    """Count the tokens of a corpus, select its vocabulary and encode the corpus as ids.

    The text is read once; only if it has more than ``max_types_in_memory`` types, it is read again, or from a temporary
    file if reading it is slow or possible only once. Memory usage does not depend on its length, nor the result on the
    number of threads.

    Args:
        corpus: a ``TextCorpus`` (with its own tokenization), texts, or lists of tokens; a one-shot generator
            is allowed. Each text is one sentence.
        min_count: drop tokens that occur less often.
        max_vocabulary: keep only the most frequent tokens, at most this many.
        keep_words: words to keep however rare, if they occur at all: an iterable, or a file with one word per line,
            in UTF-8 or the encoding of the text. They are lower-cased and normalized like the text.
        drop_words: words to exclude from the vocabulary, specified likewise.
        vocabulary: use this vocabulary, in its row order and with its counts (computed from this text if it has none),
            instead of counting; ``min_count`` is then ignored.
        max_types_in_memory: above this number of distinct tokens, the rarest are discarded, and counts may be too low
            by up to ``count_error``. A million types takes about 100 MB.
        tokenizer, lowercase: how texts are tokenized; lists of tokens are used as they are.
        normalize: the Unicode normalization form of texts: ``NFC`` (composed), ``NFKC`` (also without ligatures, wide
            forms ...) or ``none``.
        cache: cache the ids of a ``TextCorpus`` on disk, keyed by its content.
        threads: None means one per core.
        on_progress: called a few times a second, for a ``TextCorpus``.

    Raises:
        InputError: the corpus has no tokens, or none remain in the vocabulary.
        InputError: settings are out of range or contradictory, the input is unreadable, or it changed while it was
            read.
    """
    get_tokenizer(tokenizer)
    if isinstance(corpus, TextCorpus):
        tokenizer, lowercase, normalize = corpus.tokenizer, corpus.lowercase, corpus.normalize
        are_texts = True
    else:
        blocks, are_texts = blocks_of(corpus, tokenizer, lowercase, normalize)
    how = (lowercase, normalize) if are_texts else (False, "none")
    encoding = corpus.encoding if isinstance(corpus, TextCorpus) else "utf-8"
    rules = Rules(
        min_count=min_count,
        max_vocabulary=max_vocabulary,
        keep=word_list(keep_words, "keep_words", *how, encoding),
        drop=word_list(drop_words, "drop_words", *how, encoding),
        vocabulary=vocabulary,
        max_types=max_types_in_memory,
    )
    rules.check()
    writer = _Writer(rules, worker_count(threads), tokenizer, lowercase, normalize)
    if isinstance(corpus, TextCorpus):
        return _encode_text_corpus(corpus, writer, cache, reporter(on_progress, "reading", "bytes"))
    try:
        return _in_temporary_files(writer, lambda: blocks, again=False)
    except _UnwritableError as error:
        if isinstance(corpus, Iterator):
            raise InputError(
                f"temporary files cannot be written: {error}; set TMPDIR to a folder with more space, or pass a list"
            ) from None
        _warn_of_memory(error)
        return writer.in_memory(lambda: blocks_of(corpus, tokenizer, lowercase, normalize)[0])


def _encode_text_corpus(
    corpus: TextCorpus, writer: "_Writer", cache: bool, on_progress: Callable[[float, float], None] | None
) -> EncodedCorpus:
    again = corpus.reads_fast()
    checksums: list[bytes] | None = None  # of the first reading

    def blocks() -> Iterator[bytes]:
        nonlocal checksums
        total = corpus.size()
        for block in corpus.blocks(_BLOCK):
            yield block
            if on_progress is not None:
                on_progress(corpus.bytes_read(), total)
        if checksums is not None:
            corpus.check_unchanged(checksums)
        checksums = corpus.checksums()

    home = _cache_folder() if cache else None
    if home is not None:
        limit = _cache_limit()
        how = [corpus.tokenizer, corpus.lowercase, corpus.normalize]
        settings = [_FORMAT, corpus.fingerprint(), *how, writer.rules.fingerprint()]
        checksums = corpus.checksums()
        target = home / hashlib.blake2b(json.dumps(settings).encode(), digest_size=16).hexdigest()
        found = _cached(target)
        if found is not None:
            return found
        try:
            encoded = _in_cache(target, writer, blocks, again)
        except _UnwritableError as error:
            _log.warning("the cache folder %s cannot be written to (%s); the encoded corpus is not cached", home, error)
        else:
            _trim_cache(home, limit, keep=target)
            return encoded
    try:
        return _in_temporary_files(writer, blocks, again)
    except _UnwritableError as error:
        _warn_of_memory(error)
        return writer.in_memory(blocks)


def _cached(folder: Path) -> EncodedCorpus | None:
    """Open a corpus in the cache; remove a damaged one."""
    if not folder.exists():
        return None
    try:
        found = _open(folder, check=True)
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        _log.warning("the encoded corpus in the cache is damaged (%s: %.200s): encoding it again", folder, error)
        shutil.rmtree(folder, ignore_errors=True)
        return None
    with contextlib.suppress(OSError):  # a read-only cache
        os.utime(folder)
    _log.info("using the cached encoded corpus (%s)", folder)
    return found


def _in_cache(target: Path, writer: "_Writer", read: Callable[[], Iterator[bytes]], again: bool) -> EncodedCorpus:
    with _new_folder(target.parent) as claim:
        writer.write(Path(claim.path), read, again)
        try:
            os.rename(claim.path, target)  # before any file in it is opened, which would fail on Windows
            claim.release()
            return _open(target)
        except OSError:  # another process was first; use these identical files and remove them with the corpus
            return _open_owned(claim)


def _in_temporary_files(writer: "_Writer", read: Callable[[], Iterator[bytes]], again: bool) -> EncodedCorpus:
    with _new_folder() as claim:
        writer.write(Path(claim.path), read, again)
        return _open_owned(claim)


def _warn_of_memory(error: Exception) -> None:
    _log.warning("temporary files cannot be written (%s); the encoded corpus is kept in memory", error)


# -- the folder of an encoded corpus ----------------------------------------------------------------------------------


class _UnwritableError(Exception):
    """A folder that cannot be created, or a disk that is full, read-only or failing."""


@contextlib.contextmanager
def _new_folder(parent: Path | None = None) -> Iterator[Claim]:
    """Create a folder in ``parent`` or among the temporary files, removed after an error.

    Raises:
        _UnwritableError: the folder, or a file in it, cannot be written.
    """
    try:
        if parent is None:
            claim = temporary_folder()
        else:
            sweep(parent, "new-????????.tmp")
            claim = Claim(lambda: tempfile.mkdtemp(prefix="new-", suffix=".tmp", dir=parent))
    except OSError as error:
        raise _UnwritableError(_reason(error)) from None
    try:
        yield claim
    except BaseException as error:
        claim.remove()
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            raise _UnwritableError(_reason(error)) from None
        raise


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


class _Writer:
    """Encodes a corpus into the files of a folder (ids, offsets, vocabulary, metadata), or in memory."""

    def __init__(self, rules: Rules, threads: int, tokenizer: str, lowercase: bool, normalize: str) -> None:
        self.rules = rules
        self.threads = threads
        self.facts: dict[str, Any] = {"tokenizer": tokenizer, "lowercase": lowercase, "normalize": normalize}

    def write(self, folder: Path, read: Callable[[], Iterator[bytes]], again: bool) -> None:
        """Write the corpus whose blocks ``read`` yields; ``again``: whether it can be called more than once."""
        spool = folder / "text"
        with open(folder / "ids", "w+b") as ids, open(folder / "offsets", "w+b") as offsets:
            words, counts = self._encode(read, None if again else spool, ids, offsets)
        spool.unlink(missing_ok=True)
        if counts is None:
            counts = self._count_ids(_map(folder / "ids", np.int32))
        (folder / "tokens").write_bytes(words)
        (folder / "counts").write_bytes(counts.tobytes())
        facts = self.facts | {"checksum": _checksum(folder)}
        (folder / "corpus.json").write_text(json.dumps(facts, sort_keys=True), encoding="utf-8")

    def in_memory(self, read: Callable[[], Iterator[bytes]]) -> EncodedCorpus:
        """Return the corpus whose blocks ``read`` yields, without writing any file."""
        ids, offsets = io.BytesIO(), io.BytesIO()
        words, counts = self._encode(read, None, ids, offsets)
        numbers = np.frombuffer(ids.getvalue(), np.int32)
        vocabulary = Vocabulary(split_tokens(words), self._count_ids(numbers) if counts is None else counts)
        return EncodedCorpus(vocabulary, numbers, np.frombuffer(offsets.getvalue(), np.int64), **self.facts)

    def _encode(
        self, read: Callable[[], Iterator[bytes]], spool: Path | None, ids: IO[bytes], offsets: IO[bytes]
    ) -> tuple[bytes, np.ndarray | None]:
        """Write ids and offsets; return the tokens of the vocabulary, joined, and their counts if they are known."""
        given = self.rules.vocabulary
        counts: np.ndarray | None
        if given is None:
            blocks = read()
            if spool is not None:
                blocks, read = _copied(blocks, spool), lambda: _copies(spool)
            words, counts, is_encoded = self._count(blocks, ProvisionalIds(ids, offsets))
        else:
            words, counts, is_encoded = join_tokens(given.tokens), given.counts, False
            self.facts |= {"raw_types": len(given)}
        if not is_encoded:
            self.facts["raw_tokens"] = encode(read(), Table.of(words), self.threads, ids, offsets)
        if ids.tell() == 0:
            raise InputError("no word of the vocabulary occurs in the corpus; compare their casing and tokenizer")
        return words, counts

    def _count_ids(self, ids: np.ndarray) -> np.ndarray:
        counts = np.zeros(self.facts["raw_types"], np.int64)
        for first in range(0, len(ids), _PIECE):
            counts += np.bincount(ids[first : first + _PIECE], minlength=len(counts))
        return counts

    def _count(self, blocks: Iterator[bytes], provisional: ProvisionalIds) -> tuple[bytes, np.ndarray, bool]:
        """Return the tokens of the vocabulary, joined, their counts, and whether the text is encoded: unless types were
        discarded, whose numbers others have."""
        counter = Counter(self.threads, self.rules.max_types, self.rules.keep, provisional.write)
        counter.count(blocks)
        numbers = self.rules.choose(counter)
        self.facts |= {
            "raw_tokens": counter.tokens,
            "raw_types": int(np.count_nonzero(counter.table.counts)),
            "count_error": counter.error,
        }
        if counter.error:
            provisional.discard()
        else:
            rows = np.full(len(counter.table), -1, np.int32)
            rows[numbers] = np.arange(len(numbers))
            provisional.renumber(rows)
        return counter.table.spell(numbers), counter.table.counts[numbers], not counter.error


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


def _open(folder: Path, check: bool = False) -> EncodedCorpus:
    """Open an encoded corpus; ``check``: its checksum, too.

    Raises:
        ValueError, LookupError, TypeError: a file is damaged.
    """
    with open(folder / "corpus.json", encoding="utf-8") as file:
        facts = json.load(file)
    if not isinstance(facts, dict):
        raise TypeError("corpus.json must be an object")
    checksum = facts.pop("checksum")
    if check and checksum != _checksum(folder):
        raise ValueError("its checksum differs")
    tokens = split_tokens((folder / "tokens").read_bytes())
    counts = np.frombuffer((folder / "counts").read_bytes(), np.int64)
    ids, offsets = _map(folder / "ids", np.int32), _map(folder / "offsets", np.int64)
    return EncodedCorpus(Vocabulary(tokens, counts), ids, offsets, **facts)


def _open_owned(claim: Claim) -> EncodedCorpus:
    """Open a folder that is removed together with the corpus."""
    encoded = _open(Path(claim.path))
    weakref.finalize(encoded, claim.remove)
    return encoded


def _cache_folder() -> Path | None:
    """Return the cache folder, or None if it cannot be created."""
    named = os.environ.get("WORDVEC_CACHE")
    try:
        base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wordvec"
    except RuntimeError:  # the user of a container, without a home
        return None
    try:
        base.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _log.warning("the cache folder %s cannot be created (%s); encoded corpora are not cached", base, error)
        return None
    return base


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
