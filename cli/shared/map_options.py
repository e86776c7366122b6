"""Options and work of commands that write one file for each of many input files, here or on a Dask cluster."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import click

from cli.shared.cluster_options import ClusterStep, cluster_options
from cli.shared.errors import Failure, note_output, usage_errors
from cli.shared.options import C, together
from cli.shared.reporting import Progress
from cli.shared.unused import refuse_without

_ENDING = ".predictions"


def map_options(command: C) -> C:
    """Add ``--scheduler`` and ``--local-cluster``."""
    return together(*cluster_options[:2])(command)


class MapStep:
    """What the options say about many files, taken from ``given``.

    Args:
        given: the remaining options.
        files: a folder or glob, or None.
        folder: of the outputs, or None.
        others: the texts and the file that the command would read instead.
    """

    def __init__(self, given: dict[str, Any], files: str | None, folder: str | None, others: Iterable[str]) -> None:
        self._cluster = ClusterStep(given)
        self._files, self._folder = files, folder
        refuse_without("--files", files, "output_folder", "scheduler", "local_cluster")
        if files is not None and list(others):
            raise click.UsageError("--files replaces TEXT and --input; leave them out")
        if files is not None and folder is None:
            raise click.UsageError("--files needs --output-folder FOLDER")

    def run(self, function: Callable[[str], bytes], threads: int | None) -> None:
        """Write what the function returns for each file."""
        from corpora import TextCorpus
        from corpora.ranges import ranges_of
        from wordvec.distributed.files import map_files, map_files_here
        from wordvec.system.atomic_files import check_target, refuse_overwriting

        whole = ranges_of(TextCorpus(str(self._files)), 1 << 60)
        pairs = {part.name: os.path.join(str(self._folder), os.path.basename(part.name) + _ENDING) for part in whole}
        sources: dict[str, str] = {}
        for name, output in pairs.items():
            if (other := sources.setdefault(output, name)) != name:
                raise Failure(f"{other} and {name} would both write {output}; read one folder at a time, or rename one")
        with usage_errors():
            outputs = {f"output {output}": output for output in pairs.values()}
            refuse_overwriting(outputs, [("--files", str(self._files))])
        for output in pairs.values():
            check_target(output)
        if self._cluster.is_used:
            written = map_files(function, pairs, self._cluster.connect(threads, quiet=False))
        else:
            written = map_files_here(function, pairs)
        with Progress("predicting", quiet=False) as progress:
            for done, output in enumerate(written, 1):
                note_output(output)
                progress.update(done, len(pairs), output)
