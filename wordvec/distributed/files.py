"""A function mapped over files by the workers of a Dask cluster: one output for each input, written once."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from wordvec.distributed.cluster import RETRIES, Cluster
from wordvec.errors import InputError
from wordvec.system.atomic_files import replacing

_AHEAD = 4
"""Files submitted per thread of the cluster."""


def map_files(
    function: Callable[[str], bytes], files: Mapping[str, str | os.PathLike[str]], cluster: Cluster
) -> Iterator[str]:
    """Write what a function returns for each input file to its output file, computed by the workers of a cluster.

    Outputs are written on this machine, in the order of the inputs, each atomically and once, however often a worker
    died or a task was repeated.

    Args:
        function: of the name of an input, which it reads on a worker, to the content of the output; it must be
            importable there, or defined in ``__main__``.
        files: output by input, as ``TextCorpus`` or a reader names it.
        cluster: a connection.

    Yields:
        The name of each output, once it is written.

    Raises:
        InputError: two inputs have the same output; and what the function raises.
        TrainingError: the cluster was lost.

    Example:
        >>> def shout(name: str) -> bytes:
        ...     return "\\n".join(line.upper() for line in read_lines(name)).encode()
        >>> with Cluster(workers=2) as cluster:  # doctest: +SKIP
        ...     written = list(map_files(shout, {"a.txt": "a.out", "b.txt": "b.out"}, cluster))
    """
    _check_distinct(files)
    waiting: list[tuple[Any, str]] = []
    coming = iter(files.items())
    while True:
        while len(waiting) < _AHEAD * cluster.threads and (pair := next(coming, None)) is not None:
            source, output = pair
            waiting.append((cluster.client.submit(function, source, pure=False, retries=RETRIES), os.fspath(output)))
        if not waiting:
            return
        future, output = waiting.pop(0)
        with cluster.failures("computing the outputs"):
            content: bytes = future.result()
        with replacing(output) as file:
            file.write(content)
        yield output


def map_files_here(function: Callable[[str], bytes], files: Mapping[str, str | os.PathLike[str]]) -> Iterator[str]:
    """Do the same in this process, one file after another.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> list(map_files_here(lambda name: name.upper().encode(), {"a": folder / "b"})) == [str(folder / "b")]
        True
        >>> (folder / "b").read_text()
        'A'
    """
    _check_distinct(files)
    for source, output in files.items():
        content = function(source)
        with replacing(output) as file:
            file.write(content)
        yield os.fspath(output)


def _check_distinct(files: Mapping[str, str | os.PathLike[str]]) -> None:
    for output, count in Counter(os.path.realpath(output) for output in files.values()).items():
        if count > 1:
            raise InputError(f"each input needs an output of its own, but {count} are written to {output}")
