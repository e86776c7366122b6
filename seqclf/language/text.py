"""Tokenization for language models: one stream of words or characters, with a token for every line end."""

from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from corpora import get_tokenizer
from corpora.normalization import normalized
from seqclf.data.columns import one_column
from seqclf.language.settings import LanguageModelSettings
from wordvec import InputError, Vocabulary

UNKNOWN, LINE_END = "<unk>", "<eos>"


def end_of_line(unit: str) -> str:
    """Return the token of a line end: ``<eos>`` for words, a line feed for characters."""
    return LINE_END if unit == "word" else "\n"


def tokens_of(
    lines: Iterable[str], unit: str, tokenizer: str, lowercase: bool, normalize: str = "none"
) -> Iterator[str]:
    """Yield the tokens of all lines, with a token at each line end.

    Raises:
        InputError: ``lines`` is a single string, or an element is not a string.

    Example:
        >>> list(tokens_of(["No, no", ""], "word", "whitespace", lowercase=True))
        ['no,', 'no', '<eos>', '<eos>']
        >>> list(tokens_of(["No"], "character", "whitespace", lowercase=False))
        ['N', 'o', '\\n']
    """
    if isinstance(lines, str):
        raise InputError(f"lines must be a list of strings, got the string {lines!r:.40}; pass text.split('\\n')")
    if not isinstance(lines, Iterable):
        raise InputError(f"lines must be a list of strings, got {type(lines).__name__}")
    lines = one_column(lines, "lines")
    split, end = get_tokenizer(tokenizer).tokenize, end_of_line(unit)
    for line in lines:
        if not isinstance(line, str):
            raise InputError(f"lines must be strings, got {line!r:.40} ({type(line).__name__})")
        text = normalized(line, normalize)
        text = text.lower() if lowercase else text
        yield from split(text) if unit == "word" else text
        yield end


def encode_text(tokens: Iterable[str], vocabulary: Vocabulary, unit: str) -> np.ndarray:
    """Return (N + 1,) int32: a line end, which is not predicted, then all tokens; unknown ones are ``<unk>``."""
    known = vocabulary.token_to_id
    unknown, end = known[UNKNOWN], known[end_of_line(unit)]
    return np.array([end, *(known.get(token, unknown) for token in tokens)], np.int32)


def read_training_text(
    tokens: Iterable[str], unit: str, *, min_count: int, max_vocabulary: int | None, held_out: float
) -> tuple[Vocabulary, np.ndarray, np.ndarray]:
    """Split off the last lines of a text for validation, count the rest, and encode both.

    Args:
        tokens: including line ends.
        unit: ``word`` or ``character``.
        min_count: rarer tokens become ``<unk>``.
        max_vocabulary: keep this many of the most frequent tokens, including ``<unk>`` and the line end.
        held_out: fraction of the lines, at the end, for validation.

    Returns:
        The vocabulary with its counts, by descending count, ties in alphabetical order; the training and the validation
        text, encoded as by ``encode_text``.

    Raises:
        InputError: there are no tokens but line ends.

    Example:
        >>> vocabulary, ids, dev = read_training_text(
        ...     "a b b <eos> a c <eos>".split(), "word", min_count=1, max_vocabulary=None, held_out=0.5
        ... )
        >>> vocabulary.tokens, ids, dev
        (['b', '<eos>', 'a', '<unk>'], array([1, 2, 0, 0, 1], dtype=int32), array([1, 2, 3, 1], dtype=int32))
    """
    end = end_of_line(unit)
    seen: dict[str, int] = {UNKNOWN: 0, end: 1}
    first_ids = array("i", (seen.setdefault(token, len(seen)) for token in tokens))
    ids = np.frombuffer(first_ids, np.int32) if first_ids else np.empty(0, np.int32)
    ends = np.flatnonzero(ids == 1)
    lines = LanguageModelSettings.training_lines(ends.size, held_out)
    trained = int(ends[lines - 1]) + 1 if lines else 0
    counts = np.bincount(ids[:trained], minlength=len(seen))
    if counts.sum() == counts[1]:
        raise InputError(f"no text to train on: {len(ids):,} tokens, {lines:,} training lines")
    words = list(seen)
    others = sorted(range(2, len(words)), key=lambda row: (-counts[row], words[row]))
    kept = [row for row in others if counts[row] >= max(min_count, 1)][: max_vocabulary and max_vocabulary - 2]
    counts[0] += counts[2:].sum() - counts[kept].sum()
    rows = np.array(sorted([0, 1, *kept], key=lambda row: (-counts[row], words[row])))
    to_id = np.full(len(words), int(np.flatnonzero(rows == 0)[0]), np.int32)
    to_id[rows] = np.arange(rows.size)
    given = to_id[[1]]
    vocabulary = Vocabulary([words[row] for row in rows], counts[rows])
    return vocabulary, np.concatenate([given, to_id[ids[:trained]]]), np.concatenate([given, to_id[ids[trained:]]])
