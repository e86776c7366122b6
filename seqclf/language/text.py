"""Text as a language model reads it: one run of words or characters, with a token for every line's end."""

from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from corpora import get_tokenizer
from wordvec import InputError, Vocabulary

UNKNOWN, LINE_END = "<unk>", "<eos>"


def end_of_line(unit: str) -> str:
    """The token that stands for a line's end: ``<eos>`` among words, a line feed among characters."""
    return LINE_END if unit == "word" else "\n"


def tokens_of(lines: Iterable[str], unit: str, tokenizer: str, lowercase: bool) -> Iterator[str]:
    """The tokens of all lines, each line with its end.

    Raises:
        InputError: ``lines`` is one string, or holds what is none.

    Example:
        >>> list(tokens_of(["No, no", ""], "word", "whitespace", lowercase=True))
        ['no,', 'no', '<eos>', '<eos>']
        >>> list(tokens_of(["No"], "character", "whitespace", lowercase=False))
        ['N', 'o', '\\n']
    """
    if isinstance(lines, str):
        raise InputError(f"a text must be given as lines, got the string {lines[:40]!r}; pass text.split('\\n')")
    if not isinstance(lines, Iterable):
        raise InputError(f"a text must be given as lines, got {type(lines).__name__}")
    split, end = get_tokenizer(tokenizer).tokenize, end_of_line(unit)
    for line in lines:
        if not isinstance(line, str):
            raise InputError(f"lines must be strings, got {line!r:.40} ({type(line).__name__})")
        text = line.lower() if lowercase else line
        yield from split(text) if unit == "word" else text
        yield end


def encode_text(tokens: Iterable[str], vocabulary: Vocabulary, unit: str) -> np.ndarray:
    """(N + 1,) int32: a line's end, which is given and not predicted, then all tokens; unknown ones as ``<unk>``."""
    known = vocabulary.token_to_id
    unknown, end = known[UNKNOWN], known[end_of_line(unit)]
    return np.array([end, *(known.get(token, unknown) for token in tokens)], np.int32)


def read_training_text(
    tokens: Iterable[str], unit: str, *, min_count: int, max_vocabulary: int | None, held_out: float
) -> tuple[Vocabulary, np.ndarray, np.ndarray]:
    """Count and encode a text, the last lines apart.

    Args:
        tokens: with the ends of lines.
        unit: ``word`` or ``character``.
        min_count: rarer tokens count as ``<unk>``.
        max_vocabulary: keep so many tokens, the most frequent; ``<unk>`` and the line's end are among them.
        held_out: share of the lines at the end that is not trained on.

    Returns:
        The vocabulary with its counts, by falling count, equals by spelling; the training text and the text held out,
        both as ``encode_text`` gives them.

    Raises:
        InputError: there is no token but ends of lines.

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
    lines = ends.size - round(held_out * ends.size)
    trained = int(ends[lines - 1]) + 1 if lines else 0
    counts = np.bincount(ids[:trained], minlength=len(seen))
    if counts.sum() == counts[1]:
        raise InputError(f"there is no text to train on: {len(ids):,} tokens, {lines:,} lines to train on")
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
