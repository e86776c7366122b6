"""Vocabulary files: a word and its count a line, as word2vec.c writes (``-save-vocab``) and reads (``-read-vocab``)."""

import logging
import os
import re

import numpy as np

from corpora import read_lines
from wordvec.errors import FormatError, InputError
from wordvec.system.atomic_files import replacing
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)

_LINE = re.compile(r"([^\t\n\v\f\r ]+)[\t ]+([0-9]{1,18})[\t\r ]*", re.ASCII)
_WHITE = re.compile(r"[\t\n\v\f\r ]")
_LINE_END = "</s>"


def load_vocabulary(path: str | os.PathLike[str]) -> Vocabulary:
    """Read a vocabulary from a file of words and counts, such as word2vec.c's ``-save-vocab`` writes.

    Rows go by falling count and then by bytes, whatever the order of the lines. word2vec.c counts ends of lines as a
    word ``</s>`` in its first line; nothing in a text here is that word, so that it is left out, and a message logged.

    Raises:
        FormatError: a line is something else, or a word is there twice; the message says where.
        InputError: there is no word.
        InputError: the file is not there, or cannot be read.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "words.txt"
        >>> _ = path.write_text("</s> 20\\nthe 90\\nqueen 7\\nking 7\\n")
        >>> load_vocabulary(path)
        <Vocabulary of 3 tokens ['the', 'king', 'queen'], 104 counted>
    """
    counts: dict[str, int] = {}
    for number, line in enumerate(read_lines(path), 1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise FormatError(f"{path}:{number}: expected a word and its count, such as 'king 812', got {line[:60]!r}")
        token = found[1]
        if token == _LINE_END and number == 1:
            _log.info("%s: %s, which stands for ends of lines, is left out", path, _LINE_END)
            continue
        if token in counts:
            raise FormatError(f"{path}:{number}: {token!r} is there for the second time; leave one line")
        counts[token] = int(found[2])
    if not counts:
        raise InputError(f"{path} holds no word; a vocabulary has a word and its count a line")
    tokens = sorted(counts, key=lambda token: (-counts[token], token.encode()))
    return Vocabulary(tokens, [counts[token] for token in tokens])


def save_vocabulary(vocabulary: Vocabulary, path: str | os.PathLike[str]) -> None:
    """Write a vocabulary as text, a word and its count a line, in row order.

    Raises:
        InputError: it has no counts, a token holds white space, or ``path`` cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "words.txt"
        >>> save_vocabulary(Vocabulary(["the", "king"], [90, 7]), path)
        >>> path.read_text()
        'the 90\\nking 7\\n'
    """
    if vocabulary.counts is None:
        raise InputError("the vocabulary has no counts, and a vocabulary file wants one for each word; count a text")
    for row, token in enumerate(vocabulary.tokens):
        if _WHITE.search(token):
            raise InputError(f"a vocabulary file cannot hold tokens with white space, got {token!r} in row {row}")
    with replacing(path) as file:
        for token, count in zip(vocabulary.tokens, np.asarray(vocabulary.counts).tolist(), strict=True):
            file.write(f"{token} {count}\n".encode())
