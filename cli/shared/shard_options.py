"""Options of ``train-embeddings`` over shards of the corpus, and its encoding on a cluster."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared.cluster_options import ClusterStep, cluster_options
from cli.shared.count_based_options import MODELS
from cli.shared.errors import usage_errors
from cli.shared.options import C, together
from cli.shared.reporting import Progress
from cli.shared.setting_options import setting_options
from cli.shared.unused import refuse_with, refuse_without
from wordvec.distributed.settings import ShardSettings

if TYPE_CHECKING:
    from corpora import TextCorpus

_ON_CLUSTER = ("scheduler", "local_cluster")
_NOT_ON_CLUSTER = ("vocabulary", "max_types_in_memory", "passes", "phrases_from", "no_cache")
"""Options that need the text on this machine, or its cache."""

_NEEDING = ("round_tokens", "timings")


def shard_options(command: C) -> C:
    """Add the options of shards."""
    return together(
        setting_options(ShardSettings, "shards", "round_tokens"),
        *cluster_options,
        click.option("--timings", is_flag=True, help="Print the time and bytes of training and exchanging shards."),
    )(command)


class ShardStep:
    """What the options say about shards, taken from ``given``."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.timings = given.pop("timings")
        self.cluster = ClusterStep(given)
        shards, tokens = given.pop("shards"), given.pop("round_tokens")
        refuse_without("--shards", shards, *_NEEDING)
        if given["model"] not in MODELS:
            refuse_without("--shards", shards, *_ON_CLUSTER)
        self.is_used = shards is not None
        if self.is_used and given["model"] in MODELS:
            raise click.UsageError(f"--shards does not apply to --model {given['model']}; leave it out")
        if self.cluster.is_used:
            refuse_with("a cluster", True, *_NOT_ON_CLUSTER, "memory")
        with usage_errors():
            self.sharding = ShardSettings(shards=shards, round_tokens=tokens)

    def encode(self, texts: "TextCorpus", quiet: bool, threads: int | None, cache: bool, rules: dict[str, Any]) -> Any:
        """Return the encoded corpus: on this machine, or with the workers of the cluster."""
        from wordvec import encode_corpus

        with Progress("reading", quiet) as progress:
            if not self.cluster.is_used:
                return encode_corpus(texts, cache=cache, threads=threads, on_progress=progress.bytes, **rules)
            from wordvec.distributed.remote_corpus import encode_on

            del rules["max_types_in_memory"]  # all are counted
            return encode_on(self.cluster.connect(threads, quiet), texts, on_progress=progress.bytes, **rules)

    def origin(self, result: Any, files: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what vectors record of the text; over shards, no single machine may have read its files."""
        if self.is_used:
            return {"encoded_blake2b": result.corpus_digest}
        return {"corpus_blake2b": [file["blake2b"] for file in files]} if files else {}
