"""What a model's file states of its training besides the settings: digests of the files that were read, versions."""

import contextlib
import os
import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cli.shared.errors import Failure

if TYPE_CHECKING:
    from corpora import TextCorpus

Files = str | tuple[str, ...]
"""A file from the command line, or several that are read as one."""


def versions() -> dict[str, str]:
    """Return the versions that the numbers depend on."""
    from importlib.metadata import version

    from wordvec import __version__

    return {
        "wordvec-seqclf": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "scipy")},
    }


def digests(corpus: "TextCorpus") -> str:
    """Return the BLAKE2b digests (``b2sum -l 256``) of a corpus' files, separated by spaces."""
    return " ".join(file["blake2b"] for file in corpus.provenance())


@contextlib.contextmanager
def origin_of(**files: Files | None) -> Iterator[dict[str, Any]]:
    """Yield the origin of a model whose files are read within: their digests by argument, and the versions.

    Standard input and pipes, which can be read only once, have no digest.

    Raises:
        Failure: a file changed meanwhile.
    """
    before = {name: _digest(file) for name, file in files.items() if file is not None}
    yield {**{f"{name}_blake2b": digest for name, digest in before.items() if digest}, "versions": versions()}
    for name, digest in before.items():
        file = files[name]
        if file is not None and digest != _digest(file):
            raise Failure(f"{shown_files(file)} changed while it was read; run again when nothing writes to it")


def shown_files(files: Files) -> str:
    """Return the names of files for a message."""
    return files if isinstance(files, str) else " and ".join(files)


def _digest(files: Files) -> str | None:
    """Return the digests of files, None if one is a stream or cannot be read."""
    from corpora import TextCorpus
    from wordvec import InputError

    names = [files] if isinstance(files, str) else list(files)
    if any(file == "-" or (os.path.exists(file) and not os.path.isfile(file)) for file in names):
        return None
    try:
        return digests(TextCorpus(*names))
    except InputError:  # the reader states what is wrong
        return None
