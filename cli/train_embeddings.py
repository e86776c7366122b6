"""``train-embeddings``: text in, word vectors out."""

import json
from typing import TYPE_CHECKING, Any

import click

from cli import options
from cli.errors import Command, usage_errors, written
from cli.reporting import PREPARING, Progress, duration, finite, say, short_number

if TYPE_CHECKING:
    from wordvec import EncodedCorpus, Word2VecResult
    from wordvec import Progress as Word2VecProgress


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("corpus", nargs=-1, required=True)
@options.output_option("Where the vectors go: .safetensors, .txt or .vec (word2vec text), .bin (word2vec binary).")
@click.option(
    "--model",
    type=click.Choice(["skipgram", "cbow"]),
    default="skipgram",
    show_default=True,
    help="Predict the neighbours of a word, or a word from its neighbours.",
)
@click.option("--vector-size", type=int, default=100, show_default=True, help="Numbers in a vector.")
@click.option("--window", type=int, default=5, show_default=True, help="Reach: each radius is drawn from 1 to this.")
@click.option("--negatives", type=int, default=5, show_default=True, help="Noise words for each pair.")
@click.option("--epochs", type=int, default=5, show_default=True, help="Passes over the corpus.")
@click.option("--learning-rate", type=float, help="At the start.  [default: 0.025; CBOW 0.05, with the mean 0.075]")
@click.option("--min-learning-rate", type=float, default=0.0001, show_default=True, help="At the end.")
@click.option(
    "--subsample", type=float, default=0.001, show_default=True, help="Thin out words more frequent; 0: none."
)
@click.option(
    "--min-count", type=options.LEAST_1, default=5, show_default=True, help="Leave out words seen less often."
)
@click.option(
    "--max-vocabulary", type=options.LEAST_1, metavar="N", help="Keep the N most frequent words.  [default: all]"
)
@click.option("--noise-exponent", type=float, default=0.75, show_default=True, help="Noise: by count to this power.")
@click.option(
    "--cbow-gradient",
    type=click.Choice(["sum", "mean"]),
    default="sum",
    show_default=True,
    help="CBOW: give each context the whole gradient, or its share (the true gradient of a mean).",
)
@click.option(
    "--mode",
    type=click.Choice(["reproducible", "hogwild"]),
    default="reproducible",
    show_default=True,
    help="The same bits at any number of threads, or threads that do not wait for each other.",
)
@click.option("--shared-negatives", type=int, help="Noise words a centre is scored with.  [default: 24; CBOW 8]")
@click.option("--block-size", type=int, help="Centres a noise word serves.  [default: 12; CBOW 4]")
@options.tokenizer_option
@options.lowercase_option
@options.encoding_errors_option
@click.option("--no-cache", is_flag=True, help="Do not keep the encoded corpus for the next run.")
@click.option("--summary", type=click.Path(), metavar="FILE", help="Write what was trained as JSON.")
@options.seed_option
@options.threads_option
@options.quiet_option
@options.version_option
def train_embeddings(
    corpus: tuple[str, ...],
    output: str,
    min_count: int,
    max_vocabulary: int | None,
    tokenizer: str,
    lowercase: bool,
    encoding_errors: str,
    no_cache: bool,
    summary: str | None,
    threads: int | None,
    quiet: bool,
    **given: Any,
) -> None:
    """Train word vectors on CORPUS and write them to a file.

    CORPUS is a file, several, a glob, a folder, - for standard input, or sample:english; plain text or .gz, .bz2, .xz,
    .zst. A line is a sentence.

    \b
    Examples:
      train-embeddings sample:english -o vectors.safetensors
      train-embeddings 'news/*.txt.gz' --lowercase --tokenizer words -o vectors.bin
    """
    from corpora import TextCorpus
    from wordvec import (
        Word2VecSettings,
        check_target,
        encode_corpus,
        output_format,
        replacing,
        save_vectors,
        train_word2vec,
    )

    with usage_errors():
        # What is not given is left to the library, whose defaults the help repeats.
        settings = Word2VecSettings(**{name: value for name, value in given.items() if value is not None}).resolved()
    for target in filter(None, (output, summary)):
        check_target(target)
    output_format(output)
    texts = TextCorpus(*corpus, encoding_errors=encoding_errors, tokenizer=tokenizer, lowercase=lowercase)
    with Progress("reading", quiet) as progress:
        encoded = encode_corpus(
            texts,
            min_count=min_count,
            max_vocabulary=max_vocabulary,
            cache=not no_cache,
            on_progress=lambda done, total: progress.update(done, total, f"{short_number(done)}B"),
        )
    say(_counted(encoded), quiet)
    say(f"training {settings.model}, {settings.vector_size} numbers a vector", quiet)
    with Progress("training", quiet) as progress:
        result = train_word2vec(encoded, settings, threads=threads, on_progress=_EpochLines(progress, quiet))
    save_vectors(result.vectors, output)
    written(output)
    if summary is not None:
        with replacing(summary) as file:
            file.write(json.dumps(finite(result.summary()), indent=2).encode() + b"\n")
        written(summary)
    say(_trained(result, output), quiet)


class _EpochLines:
    """Shows how far training is, and leaves a line for each epoch."""

    def __init__(self, progress: Progress, quiet: bool) -> None:
        self._progress = progress
        self._quiet = quiet
        self._epochs_said = 0

    def __call__(self, state: "Word2VecProgress") -> None:
        share = state.tokens * state.epochs / max(state.total_tokens, 1)
        loss = f"loss {state.loss:.3f}" if state.loss == state.loss else "loss not sampled"
        speed = f"{short_number(state.tokens_per_second)} tokens/s"
        if share >= 0.999999 * (state.epoch + 1) and self._epochs_said == state.epoch:
            self._epochs_said += 1
            say(f"epoch {state.epoch + 1}/{state.epochs}: {loss}, {speed}", self._quiet)
        detail = f"{speed}, {loss}, {duration(state.seconds_left)} left"
        self._progress.update(state.tokens, state.total_tokens, detail if state.tokens else PREPARING)


def _counted(encoded: "EncodedCorpus") -> str:
    return (
        f"{encoded.raw_tokens:,} tokens, {encoded.raw_types:,} types; "
        f"{len(encoded.ids):,} tokens of {len(encoded.vocabulary):,} types are kept"
    )


def _trained(result: "Word2VecResult", output: str) -> str:
    facts = result.summary()
    effective = facts["effective_tokens"][-1]
    return (
        f"{output}: {len(result.vectors):,} words x {result.vectors.vector_size}; {facts['raw_tokens']:,} tokens, "
        f"{effective:,} after subsampling, {len(facts['losses'])} epochs in {facts['seconds']:.1f} s "
        f"({short_number(facts['tokens_per_second'])} tokens/s, {facts['threads']} threads)"
    )
