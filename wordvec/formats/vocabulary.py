"""Vocabulary files with a word and its count per line, as in word2vec.c (``-save-vocab``, ``-read-vocab``)."""

import logging
import os
import re

import numpy as np

from corpora import read_lines
from wordvec.errors import FormatError, InputError
from wordvec.system.atomic_files import replacing
from wordvec.system.validation import check_kind
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)

_LINE = re.compile(r"([^\t\n\v\f\r ]+)[\t ]+([0-9]{1,18})[\t\r ]*", re.ASCII)
_WHITE = re.compile(r"[\t\n\v\f\r ]")
_LINE_END = "</s>"


def load_vocabulary(path: str | os.PathLike[str], encoding: str = "utf-8") -> Vocabulary:
    """Read a vocabulary from a file of words and counts, such as one written by word2vec.c's ``-save-vocab``.

    Rows are sorted by descending count, then by bytes, regardless of line order. word2vec.c counts line ends as the
    word ``</s>`` in its first line; it never occurs in texts read here, so it is skipped and a message is logged.

    Args:
        path: the file.
        encoding: that of the file if it is not UTF-8.

    Raises:
        FormatError: a line is malformed or a word is repeated; the message names the line.
        InputError: the file contains no words.
        InputError: the file does not exist or cannot be read.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "words.txt"
        >>> _ = path.write_text("</s> 20\\nthe 90\\nqueen 7\\nking 7\\n")
        >>> load_vocabulary(path)
        <Vocabulary of 3 tokens ['the', 'king', 'queen'], 104 counted>
    """
    counts: dict[str, int] = {}
    for number, line in enumerate(read_lines(path, encoding=("utf-8", encoding)), 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise FormatError(f"{path}:{number}: expected a word and its count, such as 'king 812', got {line!r:.60}")
        token = found[1]
        if token == _LINE_END and number == 1:
            _log.info("%s: skipping %s, which represents line ends", path, _LINE_END)
            continue
        if token in counts:
            raise FormatError(f"{path}:{number}: duplicate word {token!r:.60}; keep one line")
        counts[token] = int(found[2])
    if not counts:
        raise InputError(f"{path} contains no words; expected a word and its count per line")
    tokens = sorted(counts, key=lambda token: (-counts[token], token.encode()))
    return Vocabulary(tokens, [counts[token] for token in tokens])


def save_vocabulary(vocabulary: Vocabulary, path: str | os.PathLike[str]) -> None:
    """Write a vocabulary as text, one word and its count per line, in row order.

    Raises:
        InputError: the vocabulary has no counts, a token contains white space, or ``path`` is not writable.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "words.txt"
        >>> save_vocabulary(Vocabulary(["the", "king"], [90, 7]), path)
        >>> path.read_text()
        'the 90\\nking 7\\n'
    """
    if check_kind("vocabulary", vocabulary, Vocabulary).counts is None:
        raise InputError("the vocabulary has no counts, which a vocabulary file requires; build it from a corpus")
    for row, token in enumerate(vocabulary.tokens):
        if _WHITE.search(token):
            raise InputError(f"tokens in a vocabulary file must not contain white space, got {token!r} in row {row}")
    with replacing(path) as file:
        for token, count in zip(vocabulary.tokens, np.asarray(vocabulary.counts).tolist(), strict=True):
            file.write(f"{token} {count}\n".encode())
