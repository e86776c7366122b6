"""Bundled samples: a generated corpus of English-like sentences and small data sets to learn from."""

import difflib
import functools
import io
from collections.abc import Callable
from pathlib import Path

from corpora.errors import InputError

PREFIX = "sample:"

FILES = {
    "dates": "dates.train.tsv",
    "dates-test": "dates.test.tsv",
    "disasters": "disasters.train.tsv",
    "disasters-test": "disasters.test.tsv",
    "english-questions": "english-questions.txt",
    "tags": "tags.train.tsv",
    "tags-test": "tags.test.tsv",
}
"""Maps the names of stored samples to their files."""

MADE = ("english",)
"""Samples that are generated on reading."""

NAMES = tuple(sorted([*FILES, *MADE]))


def sample_path(name: str) -> Path:
    """Return the file of a stored sample; the ``sample:`` prefix is optional.

    Raises:
        InputError: the sample is unknown, or it is generated on reading and has no file.

    Example:
        >>> sample_path("sample:disasters-test").name
        'disasters.test.tsv'
    """
    short = _known(name)
    if short in MADE:
        raise InputError(f"{PREFIX}{short} is generated on reading and has no file; read it with TextCorpus")
    return Path(__file__).parent / FILES[short]


def opener(name: str) -> Callable[[], io.FileIO | io.BytesIO]:
    """Return a function that opens the sample ``name`` as a binary file."""
    if _known(name) in MADE:
        return lambda: io.BytesIO(_english())
    path = sample_path(name)
    return lambda: open(path, "rb", buffering=0)


@functools.cache
def _english() -> bytes:
    from corpora.grammar import english_sentences

    return "".join([sentence + "\n" for sentence in english_sentences()]).encode()


def _known(name: str) -> str:
    short = str(name).removeprefix(PREFIX)
    if short not in NAMES:
        listed = ", ".join(PREFIX + known for known in NAMES)
        near = difflib.get_close_matches(short, NAMES, n=1)
        hint = f"; did you mean {PREFIX}{near[0]}?" if near else ""
        raise InputError(f"unknown sample {name!r}; choose one of {listed}{hint}")
    return short
