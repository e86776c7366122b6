"""Samples written for this project: a generated corpus of English-like sentences and small labelled sets."""

import difflib
import functools
import io
from collections.abc import Callable
from pathlib import Path

from corpora.errors import InputError

PREFIX = "sample:"

FILES = {
    "disasters": "disasters.train.tsv",
    "disasters-test": "disasters.test.tsv",
    "english-questions": "english-questions.txt",
    "tags": "tags.train.tsv",
    "tags-test": "tags.test.tsv",
}
"""Samples that are stored: name to file."""

MADE = ("english",)
"""Samples that are made when they are read."""

NAMES = tuple(sorted([*FILES, *MADE]))


def sample_path(name: str) -> Path:
    """The file of a stored sample; its name may begin with ``sample:`` or not.

    Raises:
        InputError: there is no such sample, or it is made on demand and no file holds it.

    Example:
        >>> sample_path("sample:disasters-test").name
        'disasters.test.tsv'
    """
    short = _known(name)
    if short in MADE:
        raise InputError(f"{PREFIX}{short} is made when it is read and has no file; read it with TextCorpus")
    return Path(__file__).parent / FILES[short]


def opener(name: str) -> Callable[[], io.FileIO | io.BytesIO]:
    """What opens the sample called ``name`` as a binary file."""
    if _known(name) in MADE:
        return lambda: io.BytesIO(_english())
    path = sample_path(name)
    return lambda: open(path, "rb", buffering=0)


@functools.cache
def _english() -> bytes:
    from corpora.grammar import english_sentences

    return "".join([sentence + "\n" for sentence in english_sentences()]).encode()


def _known(name: str) -> str:
    short = name.removeprefix(PREFIX)
    if short not in NAMES:
        listed = ", ".join(PREFIX + known for known in NAMES)
        near = difflib.get_close_matches(short, NAMES, n=1)
        hint = f"; did you mean {PREFIX}{near[0]}?" if near else ""
        raise InputError(f"no sample is called {name!r}; there are {listed}{hint}")
    return short
