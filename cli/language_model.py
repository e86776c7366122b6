"""``language-model``: train a language model, measure it, ask what comes next, let it write."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command, Group, usage_errors, written
from cli.shared.reporting import Progress, print_json, say, show_epochs, table
from cli.shared.setting_options import all_setting_options
from seqclf import LanguageModelSettings

if TYPE_CHECKING:
    from corpora import TextCorpus
    from seqclf import TrainedLanguageModel

_model_argument = click.argument("model", type=click.Path())
_corpus_argument = click.argument("corpus", nargs=-1, required=True)


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def language_model() -> None:
    """Train recurrent language models over words or characters, measure them, and let them go on with a text.

    CORPUS is a file, several, a glob, a folder, - for standard input, or sample:english; plain text or .gz, .bz2, .xz,
    .zst. All lines are one running text.
    """


@language_model.command(cls=Command, context_settings=options.HELP)
@_corpus_argument
@options.output_option("Where the model goes (.safetensors).")
@click.option("--dev", metavar="FILE", help="Text that selects the best epoch.  [default: the end of CORPUS]")
@click.option("--test", metavar="FILE", help="Text to evaluate the model on at the end, compared with n-gram models.")
@all_setting_options(LanguageModelSettings)
@options.encoding_errors_option
@options.threads_option
@options.quiet_option
def train(
    corpus: tuple[str, ...],
    output: str,
    dev: str | None,
    test: str | None,
    encoding_errors: str,
    threads: int | None,
    quiet: bool,
    **given: Any,
) -> None:
    """Train a language model on CORPUS and write it to a file.

    \b
    Example:
      language-model train sample:english -o model.safetensors --epochs 2
    """
    from seqclf import train_language_model
    from wordvec.system.atomic_files import check_target

    with usage_errors():
        settings = LanguageModelSettings(**given)
    measures = partial(_dev_measure, unit=settings.unit)
    check_target(output)
    lines = _text(corpus, encoding_errors)
    dev_lines = None if dev is None else _text((dev,), encoding_errors)
    test_lines = None if test is None else _text((test,), encoding_errors)
    with Progress("training", quiet) as progress:
        model = train_language_model(
            lines,
            settings=settings,
            dev=dev_lines,
            threads=threads,
            on_progress=lambda state: show_epochs(progress, state, quiet, measures),
        )
    model.save(output)
    written(output)
    say(f"{output}: {_described(model)}", quiet)
    if test_lines is not None:
        click.echo(_report(model, test_lines, f"on {test}", threads, trained_on=lines))


@language_model.command(cls=Command, context_settings=options.HELP)
@_model_argument
@_corpus_argument
@options.encoding_errors_option
@options.threads_option
@options.json_option
def perplexity(model: str, corpus: tuple[str, ...], encoding_errors: str, threads: int | None, as_json: bool) -> None:
    """Measure how well MODEL foresees CORPUS: exp of the mean loss a word, or bits a character.

    Beside it stands what the frequencies of the training text alone would give.

    \b
    Example:
      language-model perplexity model.safetensors test.txt
    """

    from seqclf import load_model

    loaded, lines = load_model(model, "language model"), _text(corpus, encoding_errors)
    if as_json:
        measured = loaded.perplexity(lines, threads=threads)
        print_json(
            {
                "tokens": measured.tokens,
                "unknown": measured.unknown,
                "loss": measured.loss,
                "perplexity": measured.perplexity,
                "bits": measured.bits,
                "unigram_loss": measured.unigram_loss,
            }
        )
    else:
        click.echo(_report(loaded, lines, " ".join(corpus), threads))


@language_model.command("next", cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("prompt", default="")
@options.top_option
@options.json_option
def next_tokens(model: str, prompt: str, top: int, as_json: bool) -> None:
    """Print the likeliest words (or characters) after PROMPT, a line each: the word, a tab, its probability.

    \b
    Example:
      language-model next model.safetensors "the king of" --top 3
    """

    from seqclf import load_model

    found = load_model(model, "language model").next_tokens(prompt, top=top)
    if as_json:
        print_json([{"token": token, "probability": probability} for token, probability in found])
    else:
        click.echo("\n".join(f"{_visible(token)}\t{probability:.4f}" for token, probability in found))


@language_model.command(cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("prompt", default="")
@click.option("--length", type=int, default=100, show_default=True, help="Words or characters at most.")
@click.option("--lines", type=int, metavar="N", help="Stop after N lines.  [default: only at --length]")
@click.option(
    "--temperature", type=float, default=1.0, show_default=True, help="Below 1: more likely words; 0: the likeliest."
)
@click.option("--top-k", type=int, metavar="N", help="Draw from the N likeliest.  [default: all]")
@click.option("--nucleus", type=float, metavar="P", help="Draw from the fewest that make up probability P.")
@options.seed_option
def generate(model: str, prompt: str, **given: Any) -> None:
    """Print PROMPT and go on from it, a drawn word (or character) at a time; <unk> is never drawn.

    \b
    Example:
      language-model generate model.safetensors "the king" --lines 1 --nucleus 0.9 --seed 7
    """

    from seqclf import load_model

    loaded = load_model(model, "language model")
    with usage_errors():
        text = loaded.generate(prompt, **given)
    click.echo(text, nl=not text.endswith("\n"))


def _text(corpus: tuple[str, ...], encoding_errors: str) -> "TextCorpus":
    from corpora import TextCorpus

    return TextCorpus(*corpus, encoding_errors=encoding_errors)


def _visible(token: str) -> str:
    """A token on a line of its own: a line feed or a tab as Python writes them."""
    return token if token.isprintable() else repr(token)[1:-1]


def _measure(loss: float, unit: str) -> str:
    import math

    return f"{math.exp(loss):,.2f}" if unit == "word" else f"{loss / math.log(2):.3f}"


def _name(unit: str) -> str:
    return "perplexity" if unit == "word" else "bits a character"


def _dev_measure(metrics: Mapping[str, float], unit: str) -> str:
    return f", dev {_name(unit)} {_measure(metrics['dev_loss'], unit)}" if "dev_loss" in metrics else ""


def _described(model: "TrainedLanguageModel") -> str:
    metrics = model.metrics
    chosen = f"epoch {metrics['best_epoch']} of {len(model.history)} kept"
    if "dev_loss" in metrics:
        measure = f"{_name(model.unit)} of {_measure(metrics['dev_loss'], model.unit)}"
        chosen += f" for its dev {measure} on {metrics['dev_tokens']:,} {model.unit}s"
    return f"{chosen}; trained on {metrics['tokens']:,} {model.unit}s, {len(model.vocabulary):,} different ones"


def _report(
    model: "TrainedLanguageModel",
    lines: "TextCorpus",
    source: str,
    threads: int | None,
    *,
    trained_on: "TextCorpus | None" = None,
) -> str:
    measured, unit = model.perplexity(lines, trained_on=trained_on, threads=threads), model.unit
    rows = [
        ["this model", _measure(measured.loss, unit)],
        ["frequencies alone (unigrams)", _measure(measured.unigram_loss, unit)],
    ]
    if measured.bigram_loss is not None:
        rows.append(["bigrams, Witten-Bell", _measure(measured.bigram_loss, unit)])
    unknown = f"{measured.unknown:,} of {measured.tokens:,} {unit}s are unknown"
    return table(rows, [source, _name(unit)]) + f"\n{unknown}"
