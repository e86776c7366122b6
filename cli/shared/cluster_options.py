"""Options of commands that can run on a Dask cluster."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared.options import LEAST_1, Size
from cli.shared.reporting import log
from cli.shared.unused import refuse_with, refuse_without

if TYPE_CHECKING:
    from wordvec.distributed.cluster import Cluster

cluster_options = (
    click.option("--scheduler", metavar="ADDRESS", help="Work on the Dask cluster of this scheduler: tcp://host:8786."),
    click.option("--local-cluster", type=LEAST_1, metavar="N", help="Work in N Dask worker processes on this machine."),
    click.option(
        "--piece-size",
        type=Size(),
        default="32M",
        show_default=True,
        metavar="SIZE",
        help="Size of the parts of the vectors that workers exchange; smaller ones need less memory.",
    ),
)


class ClusterStep:
    """Where a command runs, taken from ``given``."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._scheduler, self._workers = given.pop("scheduler"), given.pop("local_cluster")
        self._piece_size = given.pop("piece_size", 32 << 20)
        refuse_with("--scheduler", self._scheduler, "local_cluster", "threads")
        self.is_used = self._scheduler is not None or self._workers is not None
        if not self.is_used:
            refuse_without("--scheduler or --local-cluster", None, "piece_size")

    def connect(self, threads: int | None, quiet: bool) -> "Cluster":
        """Return the connection to the cluster, which ends with the command."""
        from wordvec.distributed.cluster import Cluster
        from wordvec.system.threads import worker_count

        each = 1 if self._workers is None else max(worker_count(threads) // self._workers, 1)
        cluster = Cluster(self._scheduler, workers=self._workers, threads=each, piece_size=self._piece_size)
        click.get_current_context().call_on_close(cluster.close)
        log(f"connected to {cluster.address}: {cluster.workers} workers, {cluster.threads} threads", quiet)
        return cluster
