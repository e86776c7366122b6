"""EncodedCorpus: a text as the ids of its tokens, written once and memory-mapped from then on."""

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
from wordvec.system.threads import worker_count
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)

_FORMAT = 3
"""Raised when the files below change, so that no older ones are read."""

_CACHE_BYTES = 4 << 30
"""What the cache folder may hold unless WORDVEC_CACHE_BYTES says otherwise."""

_BLOCK = 1 << 18
"""Bytes of text that a thread scans at a time."""

_PIECE = 1 << 20
"""Ids counted at a time."""


class EncodedCorpus:
    """Token ids and sentence offsets: sentence s is ``ids[offsets[s]:offsets[s + 1]]``.

    Tokens that are not in the vocabulary are left out; every line of the text keeps its sentence, even an empty one.

    Attributes:
        vocabulary: V tokens by falling count, those of equal count in the order of their bytes.
        ids: (N,) int32, read only, usually memory-mapped.
        offsets: (S + 1,) int64, read only.
        raw_tokens, raw_types: what the text had before words were left out; with a vocabulary that was given,
            ``raw_types`` is its size, and where ``count_error`` is not 0, how many types were left in memory.
        count_error: the vocabulary's counts may be too low by at most this, and a word that occurs this often may be
            missing; 0 unless the types did not fit into ``max_types_in_memory``.
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
        count_error: int = 0,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
    ) -> None:
        self.vocabulary = vocabulary
        self.ids = ids
        self.offsets = offsets
        self.raw_tokens = raw_tokens
        self.raw_types = raw_types
        self.count_error = count_error
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
    """Count the tokens of a corpus, choose its vocabulary and write the corpus down as ids.

    The text is read twice, or kept in a temporary file in between where reading it is slow or can be done only once.
    Memory does not depend on its length, and the result not on the number of threads.

    Args:
        corpus: a ``TextCorpus`` (whose own tokeniser and casing count), or texts, or lists of tokens; a one-shot
            generator will do. A text is one sentence.
        min_count: tokens seen less often are left out.
        max_vocabulary: keep at most this many, the most frequent.
        keep_words: words that are in the vocabulary however rare they are, if they occur at all: a file with one a
            line, or the words. They are lower-cased where the text is.
        drop_words: words that are never in the vocabulary, given in the same ways.
        vocabulary: take this one, row by row, with its counts (without counts: those of this text); nothing is counted
            then, and ``min_count`` plays no part.
        max_types_in_memory: when more different tokens than this have been seen, the rarest are forgotten, and counts
            may be too low by ``count_error``. A million takes about 100 MB.
        tokenizer, lowercase: how texts are cut into tokens; lists of tokens are taken as they are.
        cache: keep the ids of a ``TextCorpus`` in the cache folder and find them again by its content.
        threads: None means one a core.
        on_progress: called a few times a second, for a ``TextCorpus``.

    Raises:
        InputError: no token at all, or none left.
        InputError: settings out of range or that contradict each other, or text or a list that cannot be read.
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
        except (OSError, ValueError, LookupError, TypeError):
            _log.info("the encoded corpus in the cache is damaged (%s): encoding anew", target)
            shutil.rmtree(target, ignore_errors=True)
        else:
            _log.info("found the encoded corpus in the cache (%s)", target)
            return found
    with _new_folder(home) as folder:
        writer.write(folder, blocks, again)
        try:
            os.rename(folder, target)  # before any file in it is open: Windows would not have it
            encoded = _open(target)
        except OSError:  # another process was first: these files say the same and go when the corpus does
            encoded = _open_owned(folder)
    _trim_cache(home, limit, keep=target)
    return encoded


# -- the folder of an encoded corpus ----------------------------------------------------------------------------------


@contextlib.contextmanager
def _new_folder(parent: Path | None = None) -> Iterator[Path]:
    """A fresh folder, in the cache or among the temporary files, that is removed after an error."""
    folder = Path(tempfile.mkdtemp(prefix="new-" if parent else "wordvec-", dir=parent))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class _Writer:
    """Writes a corpus into a folder: ids, offsets, vocabulary, facts."""

    def __init__(self, rules: Rules, threads: int, tokenizer: str, lowercase: bool) -> None:
        self.rules = rules
        self.threads = threads
        self.facts: dict[str, Any] = {"tokenizer": tokenizer, "lowercase": lowercase}

    def write(self, folder: Path, read: Callable[[], Iterator[bytes]], again: bool) -> None:
        """Write the corpus whose blocks ``read`` gives, ``again`` and again or only once."""
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
        (folder / "corpus.json").write_text(json.dumps(self.facts, sort_keys=True), encoding="utf-8")

    def _count(self, blocks: Iterator[bytes]) -> tuple[bytes, np.ndarray]:
        """The words of the vocabulary, joined, and their counts."""
        counter = Counter(self.threads, self.rules.max_types, self.rules.keep)
        counter.count(blocks)
        numbers = self.rules.choose(counter)
        self.facts |= {"raw_types": int(np.count_nonzero(counter.table.counts)), "count_error": counter.error}
        return counter.table.spell(numbers), counter.table.counts[numbers]


def _copied(blocks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    """The same blocks, which are also written to a file, each after its length."""
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
    """The numbers in a file, memory-mapped; an empty file cannot be mapped."""
    if path.stat().st_size == 0:
        return np.empty(0, dtype)
    numbers = np.memmap(path, dtype, mode="r")
    # Several lanes read in turns, in which the system sees no order; without this it fetches one page at a time.
    if hasattr(mmap, "MADV_SEQUENTIAL"):
        numbers._mmap.madvise(mmap.MADV_SEQUENTIAL)  # type: ignore[attr-defined]
    return numbers


def _open(folder: Path) -> EncodedCorpus:
    with open(folder / "corpus.json", encoding="utf-8") as file:
        facts = json.load(file)
    tokens = split_tokens((folder / "tokens").read_bytes())
    counts = np.frombuffer((folder / "counts").read_bytes(), np.int64)
    ids, offsets = _map(folder / "ids", np.int32), _map(folder / "offsets", np.int64)
    if offsets[-1] != len(ids):
        raise ValueError(f"{folder} is damaged")
    return EncodedCorpus(Vocabulary(tokens, counts), ids, offsets, **facts)


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
