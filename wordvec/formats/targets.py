"""Output side of third-party vector files."""

import contextlib
import gzip
import os
from collections.abc import Iterator
from typing import IO

from wordvec.system.atomic_files import replacing


@contextlib.contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file that is replaced atomically, compressed if its name ends in ``.gz``; equal content, equal bytes."""
    with replacing(path) as file:
        if os.fspath(path).lower().endswith(".gz"):
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as compressed:
                yield compressed  # type: ignore[misc]
        else:
            yield file
