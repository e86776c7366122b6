"""Options and training of ``train-embeddings`` over shards of the corpus."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared.cluster_options import ClusterStep, cluster_options
from cli.shared.count_based_options import MODELS, refuse_counting
from cli.shared.errors import usage_errors
from cli.shared.options import C, together
from cli.shared.reporting import Progress, log
from cli.shared.setting_options import setting_options
from cli.shared.unused import refuse_unused, refuse_with, refuse_without
from cli.shared.word2vec_reporting import EpochLines, result_line, tokens_of
from wordvec import Word2VecSettings
from wordvec.distributed.settings import ShardSettings

if TYPE_CHECKING:
    from corpora import TextCorpus
    from wordvec import EncodedCorpus
    from wordvec.distributed.training import ShardedResult

_ON_CLUSTER = ("scheduler", "local_cluster")
_NOT_ON_CLUSTER = ("vocabulary", "max_types_in_memory", "passes", "phrases_from", "no_cache")
"""Options that need the text on this machine, or its cache."""

_WITHOUT = ("continue_from", "evaluate_on", "evaluate_every", "early_stopping")
"""Options of other trainings."""

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
        refuse_with("--shards", self.is_used, *_WITHOUT)
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


class Run:
    """Training of skip-gram or CBOW over shards."""

    def __init__(self, given: dict[str, Any], step: ShardStep, threads: int | None, quiet: bool) -> None:
        from wordvec.distributed.settings import sharded

        refuse_counting(given)
        self.step, self.threads, self.quiet = step, threads, quiet
        with usage_errors():
            chosen = Word2VecSettings(**{name: value for name, value in given.items() if value is not None})
            self.settings = sharded(chosen, step.sharding.shards or 1)
        refuse_unused(self.settings)

    def is_finished(self, output: str, encoded: "EncodedCorpus", phrases: dict[str, Any] | None) -> bool:
        from wordvec.checkpointing.finished import finished_training

        sharding = self.step.sharding.resolved(tokens_of(encoded), len(encoded.vocabulary))
        return finished_training(output, encoded, self.settings, phrases=phrases, continuation=sharding.record())

    def train(
        self, encoded: "EncodedCorpus", checkpoint: str | None, checkpoint_every: float, resume: bool
    ) -> "ShardedResult":
        from wordvec.distributed.training import train_sharded

        log(
            f"training {self.settings.model}, vector size {self.settings.vector_size}, in {self.step.sharding.shards} "
            "shards",
            self.quiet,
        )
        with Progress("training", self.quiet) as progress:
            result: ShardedResult = train_sharded(
                encoded,
                self.settings,
                self.step.sharding,
                threads=self.threads,
                on_progress=EpochLines(progress, self.quiet),
                checkpoint=checkpoint,
                checkpoint_every=checkpoint_every,
                resume=resume,
            )
        if self.step.timings:
            for name, value in result.timings.items():
                log(f"{name}: {value:,.3g}")
        return result

    @staticmethod
    def result_line(result: Any, output: str) -> str:
        """Summarize a ``ShardedResult``."""
        return result_line(result, output)
