"""``transduce``: train, evaluate and apply encoder-decoder networks, from a sequence to another."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.checkpoints import Checkpointing
from cli.shared.compiling_ahead import compile_ahead
from cli.shared.errors import Command, Group, usage_errors
from cli.shared.origins import shown_files
from cli.shared.reporting import log, print_json
from cli.shared.streaming import Arriving
from cli.shared.supervised import source_to_predict, train_and_save, training_options, warn_if_seen
from cli.shared.transductions import (
    answers,
    dev_measures,
    given_sources,
    json_line,
    plot_attention,
    read_sources,
    score_table,
    text_line,
    training_summary,
)
from cli.shared.unused import refuse_with, refuse_without
from seqclf.translation.settings import TransducerSettings

if TYPE_CHECKING:
    from corpora.parallel import ParallelText
    from seqclf.translation.evaluation import Evaluation
    from seqclf.translation.model import TransducerModel

_data_argument = click.argument("data", type=options.INPUT, nargs=-1, required=True, metavar="DATA [TARGETS]")
_columns_options = options.together(
    click.option("--source-column", metavar="COLUMN", help="Column of the sources, a number or a name.  [default: 1]"),
    click.option("--target-column", metavar="COLUMN", help="Column of the targets.  [default: 2]"),
    click.option("--features-column", metavar="COLUMN", help="Column of features of the targets.  [default: none]"),
)
_BEAM = 5
_beam_option = click.option(
    "--beam", type=options.LEAST_1, metavar="N", help="Hypotheses of the beam search; 1 is greedy.  [default: 5]"
)
_search_options = options.together(
    _beam_option,
    click.option(
        "--length-penalty",
        type=options.FloatRange(min=0),
        default=1.0,
        show_default=True,
        metavar="X",
        help="Divide log-probabilities by ((5 + length) / 6)^X: larger values favor longer targets.",
    ),
    click.option(
        "--coverage-penalty",
        type=options.FloatRange(min=0),
        default=0.0,
        show_default=True,
        metavar="X",
        help="Weight of the penalty for source units without attention.",
    ),
    click.option(
        "--no-repeat",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="Predict no n-gram of N units twice; 0 allows it.",
    ),
    click.option(
        "--max-length",
        type=options.LEAST_1,
        metavar="N",
        help="Maximum units of a target.  [default: three times the source's, at least 20]",
    ),
    click.option(
        "--replace-unknown", is_flag=True, help="Replace unknown units by the source's unit with the most attention."
    ),
)


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def transduce() -> None:
    """Train, evaluate and apply encoder-decoder networks, which turn a sequence into another: translation,
    pronunciation, inflection, spelling correction.

    DATA has a source, a tab and its target on each line; compressed or not; or an object on each line (.jsonl); or
    sample:dates. Or give two files: DATA with the sources, and TARGETS with the target of each line.

    \b
    Examples:
      transduce train sample:dates -o dates.safetensors
      transduce predict dates.safetensors "Mon Mar 4 2013"
      transduce evaluate dates.safetensors sample:dates-test
    """


@transduce.command(cls=Command, context_settings=options.HELP)
@_data_argument
@training_options(TransducerSettings, "Pairs (give it twice for two files)", several=True, vectors="source unit")
@_columns_options
@_beam_option
def train(
    data: tuple[str, ...],
    output: str,
    vectors: str | None,
    subword_fallback: bool,
    dev: tuple[str, ...],
    test: tuple[str, ...],
    threads: int | None,
    quiet: bool,
    source_column: str | None,
    target_column: str | None,
    features_column: str | None,
    beam: int | None,
    encoding: str,
    encoding_errors: str,
    **given: Any,
) -> None:
    """Train a model on DATA and write it to a file.

    \b
    Examples:
      transduce train sample:dates -o dates.safetensors --test sample:dates-test
      transduce train train.de train.en --source-units words --target-units words -o de-en.safetensors
    """
    refuse_without("--test FILE", test, "beam")
    for files in (data, dev, test):
        _check_files(files)

    from seqclf.translation.train import train_transducer

    checkpointing = Checkpointing.take(given, output)
    with usage_errors():
        settings = TransducerSettings(**given)
    compile_ahead("transducer", settings.record(), threads)
    columns = {"source_column": source_column, "target_column": target_column, "features_column": features_column}
    read = _reader(columns | {"encoding": encoding, "encoding_errors": encoding_errors})

    def train_on(sources: Any, targets: Any, features: Any, dev: "ParallelText | None", **rest: Any) -> Any:
        parts = None if dev is None else tuple(part for part in dev if part is not None)
        return train_transducer(sources, targets, features=features, dev=parts, **rest)

    trained = train_and_save(
        train_on, read, data=data, dev=dev or None, test=test or None, vectors=vectors,
        subword_fallback=subword_fallback, output=output, settings=settings, checkpointing=checkpointing,
        threads=threads, quiet=quiet, unit="pairs", summary=training_summary, measures=dev_measures,
    )  # fmt: skip
    if trained.test is not None:
        name = shown_files(test)
        warn_if_seen(trained.training[:2], trained.test[:2], shown_files(data), name, quiet)
        found = _evaluated(trained.model, trained.test, None, quiet, beam=beam or _BEAM, threads=threads)
        click.echo(score_table(found, f"on {name}"))


@transduce.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option(
    "--input", "source", type=options.INPUT, metavar="FILE", help="Read sources from FILE; - for standard input."
)
@click.option("--source-column", metavar="COLUMN", help="With --input: column of the sources.  [default: 1]")
@click.option(
    "--features-column",
    metavar="COLUMN",
    help="With --input: column of the features, if the model has any.  [default: 2]",
)
@click.option("--features", metavar="TEXT", help="Features of every SOURCE, such as V;PST.")
@_search_options
@click.option(
    "--n-best", type=options.LEAST_1, metavar="N", help="Print the N best targets of each source, with their scores."
)
@click.option(
    "--temperature",
    type=options.FloatRange(min=0, min_open=True),
    metavar="X",
    help="Draw the targets at random instead of searching for the best; below 1 is less random.",
)
@options.seed_option
@click.option(
    "--attention",
    type=options.OUTPUT,
    metavar="FILE",
    help="Plot the attention of one SOURCE as a heat map (.png, .svg or .pdf).",
)
@options.encoding_options
@options.threads_option
@options.json_option
def predict(
    model: str,
    sources: tuple[str, ...],
    source: str | None,
    source_column: str | None,
    features_column: str | None,
    features: str | None,
    beam: int | None,
    n_best: int | None,
    temperature: float | None,
    seed: int,
    attention: str | None,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
    **search: Any,
) -> None:
    """Print the predicted target of each SOURCE, one line for each.

    --input reads one source per line; of lines with tabs the first column. A single - instead of SOURCE reads standard
    input. Answers come in order, and as soon as the input pauses; a blank line gives a blank line. If the model was
    trained with features, they follow the source and a tab, or are given with --features. With --n-best, each target
    is followed by a tab and its score, a log-probability divided by the length penalty. With --json, each line is an
    object for one source, with all scores. Put -- before a SOURCE of a single word that starts with a dash.

    \b
    Examples:
      transduce predict dates.safetensors "Mon Mar 4 2013" --n-best 2
      transduce predict dates.safetensors --input dates.txt
    """
    source = source_to_predict(sources, source, "SOURCE", ("--source-column", source_column))
    refuse_without("--input FILE", source, "features_column")
    if source and features is not None:
        raise click.UsageError("--features is for SOURCE; with --input or -, features are a column, --features-column")
    refuse_with("--temperature", temperature, "beam", "coverage_penalty")
    refuse_without("--temperature X", temperature, "seed")
    if beam is not None and n_best is not None and n_best > beam:
        raise click.UsageError(f"--n-best must be at most --beam, {beam}, got {n_best}")
    if attention is not None and (source is not None or len(sources) != 1):
        raise click.UsageError("--attention plots one source; give exactly one SOURCE")

    from seqclf import load_model
    from wordvec.system.atomic_files import check_target

    if attention is not None:
        check_target(attention)
    loaded = load_model(model, "transducer")
    if source is None:
        asked: Iterable[tuple[str, str | None]] = given_sources(sources, features, loaded.features)
    else:
        asked = read_sources(loaded, source, source_column, features_column, encoding, encoding_errors)
    search |= {"beam": beam or max(_BEAM, n_best or 1), "n_best": n_best or 1}
    search |= {"temperature": temperature, "seed": seed, "threads": threads}
    show = json_line if as_json else partial(text_line, scores=n_best is not None)
    name, done = {None: "SOURCE", "-": "standard input"}.get(source, source or ""), 0
    for batch in Arriving(asked):
        for found in answers(loaded, batch, done, name, search):
            click.echo("\n".join(map(show, found)))
            if attention is not None:
                plot_attention(found[0], attention)
        done += len(batch)


@transduce.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@_data_argument
@_columns_options
@_search_options
@click.option(
    "--bleu",
    type=click.Choice(["none", "13a", "intl", "char", "zh"]),
    metavar="TOKENIZER",
    help="Also print BLEU and chrF (needs sacrebleu), with its tokenizer none, 13a, intl, char or zh; none is for "
    "text that is tokenized.",
)
@options.encoding_options
@options.threads_option
@options.json_option
def evaluate(
    model: str,
    data: tuple[str, ...],
    source_column: str | None,
    target_column: str | None,
    features_column: str | None,
    beam: int | None,
    bleu: str | None,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
    **search: Any,
) -> None:
    """Evaluate MODEL on DATA, next to three baselines.

    Prints the share of exact matches, the mean edit distance of a pair, and the error rate: edits divided by the
    units of the targets. The baselines copy the source, predict the most frequent target of the training data, and
    replace each unit by its most probable counterpart (IBM model 1).

    \b
    Example:
      transduce evaluate dates.safetensors sample:dates-test
    """
    _check_files(data)

    from seqclf import load_model

    loaded = load_model(model, "transducer")
    columns = {"source_column": source_column, "target_column": target_column, "features_column": features_column}
    pairs = _reader(columns | {"encoding": encoding, "encoding_errors": encoding_errors})(data)
    found = _evaluated(loaded, pairs, bleu, as_json, beam=beam or _BEAM, threads=threads, **search)
    if as_json:
        print_json({"pairs": len(pairs.sources), **found.as_dict()})
    else:
        click.echo(score_table(found, f"on {shown_files(data)}"))


def _check_files(files: tuple[str, ...]) -> None:
    if len(files) > 2:
        raise click.UsageError(f"give one file with sources and targets, or one of each, got {len(files)} files")


def _reader(reading: dict[str, Any]) -> Callable[[tuple[str, ...]], "ParallelText"]:
    """Return the function that reads one file, or two."""

    def read(files: tuple[str, ...]) -> "ParallelText":
        from corpora import read_parallel

        pairs: ParallelText = read_parallel(*files, **reading)
        return pairs

    return read


def _evaluated(model: "TransducerModel", pairs: Any, bleu: str | None, quiet: bool, **search: Any) -> "Evaluation":
    from seqclf.translation.evaluation import evaluate_transducer

    if bleu is None and model.settings.target_units == "words":
        log("for BLEU and chrF: transduce evaluate --bleu 13a", quiet)
    sources, targets, features = pairs
    return evaluate_transducer(model, sources, targets, features=features, bleu=bleu, **search)
