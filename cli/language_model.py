"""``language-model``: train, evaluate, query and sample recurrent language models."""

import itertools
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.checkpoints import Checkpointing, checkpoint_options
from cli.shared.compiling_ahead import compile_ahead
from cli.shared.errors import Command, Group, note_output, usage_errors
from cli.shared.origins import digests, versions
from cli.shared.prompts import Answers, answer_lines, input_option, require_queries
from cli.shared.prompts import prompt as prompt_lines
from cli.shared.reporting import Progress, log, print_json, print_json_line, show_epochs, table
from cli.shared.setting_options import all_setting_options
from cli.shared.signals import BestEpochOnInterrupt
from cli.shared.unused import refuse_unused, refuse_with, refuse_without
from seqclf import LanguageModelSettings

if TYPE_CHECKING:
    from corpora import TextCorpus
    from seqclf import TrainedLanguageModel
    from seqclf.language.model import Perplexity

_model_argument = click.argument("model", type=options.INPUT)
_corpus_argument = click.argument("corpus", type=options.INPUT, nargs=-1, required=True)


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def language_model() -> None:
    """Train, evaluate, query and sample recurrent language models over words or characters.

    CORPUS is one or more files, globs or folders, - for standard input, or sample:english; plain text or .gz, .bz2,
    .xz, .zst. All lines form one running text.

    \b
    Examples:
      language-model train sample:english -o model.safetensors
      language-model next model.safetensors "the king of"
      language-model generate model.safetensors "the king"
    """


@language_model.command(cls=Command, context_settings=options.HELP)
@_corpus_argument
@options.output_option("Output model file (.safetensors).")
@click.option(
    "--dev",
    type=options.INPUT,
    metavar="FILE",
    help="Validation text, to select the best epoch.  [default: the end of CORPUS]",
)
@click.option(
    "--test",
    type=options.INPUT,
    metavar="FILE",
    help="Text to evaluate the trained model on, compared with n-gram models.",
)
@all_setting_options(LanguageModelSettings)
@checkpoint_options
@options.encoding_options
@options.threads_option
@options.quiet_option
def train(
    corpus: tuple[str, ...],
    output: str,
    dev: str | None,
    test: str | None,
    encoding: str,
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
    from wordvec import InputError
    from wordvec.system.atomic_files import check_target

    checkpointing = Checkpointing.take(given, output)
    with usage_errors():
        settings = LanguageModelSettings(**given)
    refuse_unused(settings, dev=dev)
    compile_ahead("language-model", settings.record(), threads)
    measures = partial(_dev_measure, unit=settings.unit)
    check_target(output)
    lines = _text(corpus, encoding, encoding_errors)
    dev_lines = None if dev is None else _text((dev,), encoding, encoding_errors)
    test_lines = None if test is None else _text((test,), encoding, encoding_errors)
    if test_lines is not None and next(iter(test_lines), None) is None:
        raise InputError(f"{test} must have at least one line to test on, got 0; leave --test out or give a text")
    origin: dict[str, Any] = {"data_blake2b": digests(lines), "versions": versions()}
    if dev_lines is not None:
        origin["dev_blake2b"] = digests(dev_lines)
    with (
        Progress("training", quiet) as progress,
        BestEpochOnInterrupt(
            lambda state: show_epochs(progress, state, quiet, measures),
            checkpointing.path is not None,
            checkpointing.logs,
        ) as on_progress,
    ):
        model = train_language_model(
            lines,
            settings=settings,
            dev=dev_lines,
            threads=threads,
            on_progress=on_progress,
            **checkpointing.arguments,
        )
    model.origin = origin
    model.save(output)
    note_output(output)
    checkpointing.logs.finish(model)
    log(f"{output}: {_summary(model)}", quiet)
    on_progress.finish()
    checkpointing.remove()
    if test_lines is not None:
        checksums = lines.checksums()
        held_out = settings.validation_fraction if dev is None else 0.0
        trained_on = itertools.islice(lines, settings.training_lines(sum(1 for _ in lines), held_out))
        measured = model.perplexity(test_lines, trained_on=trained_on, threads=threads)
        lines.check_unchanged(checksums)
        click.echo(_report(measured, f"on {test}", model.unit))


@language_model.command(cls=Command, context_settings=options.HELP)
@_model_argument
@_corpus_argument
@click.option(
    "--trained-on",
    type=options.INPUT,
    metavar="FILE",
    help="The training text, to compare with bigrams and Kneser-Ney 5-grams.",
)
@click.option(
    "--cache", is_flag=True, help="Also evaluate with a continuous cache, which makes recent words more probable."
)
@click.option(
    "--cache-size", type=options.LEAST_1, default=2000, show_default=True, help="Words, or characters, in the cache."
)
@click.option(
    "--cache-theta",
    type=float,
    default=0.2,
    show_default=True,
    help="Scale of the similarity of states; larger values favor the most similar ones.",
)
@click.option("--cache-weight", type=float, default=0.15, show_default=True, help="Share of the cache's probability.")
@options.encoding_options
@options.threads_option
@options.json_option
def perplexity(
    model: str,
    corpus: tuple[str, ...],
    trained_on: str | None,
    cache: bool,
    cache_size: int,
    cache_theta: float,
    cache_weight: float,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Evaluate MODEL on CORPUS: perplexity, or bits per character for character models.

    Also prints the result of a unigram model of the training text, for comparison.

    \b
    Example:
      language-model perplexity model.safetensors test.txt --trained-on train.txt --cache
    """
    refuse_without("--cache", cache, "cache_size", "cache_theta", "cache_weight")

    from seqclf import load_model
    from seqclf.language.cache import ContinuousCache

    with usage_errors():
        asked = ContinuousCache(cache_size, cache_theta, cache_weight) if cache else None
    loaded, lines = load_model(model, "language model"), _text(corpus, encoding, encoding_errors)
    train = None if trained_on is None else _text((trained_on,), encoding, encoding_errors)
    measured = loaded.perplexity(lines, trained_on=train, cache=asked, threads=threads)
    if as_json:
        print_json(
            {
                "tokens": measured.tokens,
                "unknown": measured.unknown,
                "loss": measured.loss,
                "perplexity": measured.perplexity,
                "bits": measured.bits,
                "unigram_loss": measured.unigram_loss,
                "bigram_loss": measured.bigram_loss,
                "kneser_ney_loss": measured.kneser_ney_loss,
                "cache_loss": measured.cache_loss,
            }
        )
    else:
        click.echo(_report(measured, " ".join(corpus), loaded.unit))


@language_model.command("next", cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("prompt", default="")
@options.top_option
@options.json_option
def next_tokens(model: str, prompt: str, top: int, as_json: bool) -> None:
    """Print the most probable words (or characters) after PROMPT, one per line: word, tab, probability.

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
@click.argument("text", nargs=-1)
@input_option
@options.top_option
@options.json_option
def complete(model: str, text: tuple[str, ...], source: str | None, top: int, as_json: bool) -> None:
    """Complete the last word of TEXT: the most probable words that begin with it, one per line: word, tab, probability.

    A TEXT that ends with a space is continued by a word. Without TEXT, starts an interactive prompt on a terminal.
    Models of characters complete words that the training text lacks, too.

    \b
    Example:
      language-model complete model.safetensors "the king r" --top 3
    """
    require_queries(text, source, "TEXT", as_json)

    from seqclf import load_model
    from seqclf.language.completion import Completer
    from wordvec import InputError

    completer = Completer(load_model(model, "language model"))

    def answer(line: str) -> Answers:
        found = completer.complete(line, top=top)
        if not found:
            raise InputError(f"no word of the model begins with {line.split()[-1]!r}; shorten it")
        return found

    def each(lines: list[str]) -> list[Answers | str]:
        return [completer.complete(line, top=top) or f"no word of the model completes {line!r}" for line in lines]

    def show(line: str) -> None:
        click.echo("\n".join(f"{word}\t{probability:.4f}" for word, probability in answer(line)))

    if source is not None:
        answer_lines(source, each, as_json, "completions", "probability", str.lstrip)
    elif not text:
        prompt_lines("A text: the most probable words for its end. Ctrl-D exits.", show)
    elif as_json:
        found = answer(" ".join(text))
        print_json([{"token": word, "probability": probability} for word, probability in found])
    else:
        show(" ".join(text))


@language_model.command(cls=Command, context_settings=options.HELP)
@_model_argument
@_corpus_argument
@options.encoding_options
@options.threads_option
@options.json_option
def score(
    model: str, corpus: tuple[str, ...], encoding: str, encoding_errors: str, threads: int | None, as_json: bool
) -> None:
    """Print the perplexity of each line of CORPUS, read alone: perplexity, tab, unknown words, tab, line.

    With --json, an object per line, with the sum of the log-probabilities (in nats) and the number of words.

    \b
    Example:
      language-model score model.safetensors sentences.txt
    """
    from seqclf import load_model
    from seqclf.language.scoring import score_lines

    loaded = load_model(model, "language model")
    for found in score_lines(loaded, _text(corpus, encoding, encoding_errors), threads=threads):
        if as_json:
            print_json_line(found._asdict() | {"perplexity": found.perplexity})
        else:
            click.echo(f"{found.perplexity:.2f}\t{found.unknown}\t{found.line}")


@language_model.command(cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("prompt", default="")
@click.option("--length", type=int, metavar="N", help="Maximum number of words or characters.  [default: 100]")
@click.option(
    "--lines", type=int, metavar="N", help="Stop after N lines.  [default: 1; with --length, stop only there]"
)
@click.option("--temperature", type=float, default=1.0, show_default=True, help="Sampling temperature; 0 is greedy.")
@click.option("--top-k", type=int, metavar="N", help="Sample from the N most probable.  [default: all]")
@click.option("--nucleus", type=float, metavar="P", help="Sample from the smallest set with total probability P.")
@click.option(
    "--no-repeat", type=int, metavar="N", help="Never repeat N words or characters in a row.  [default: repeat]"
)
@options.seed_option
def generate(model: str, prompt: str, length: int | None, lines: int | None, **given: Any) -> None:
    """Print PROMPT and a continuation sampled word by word (or by character); <unk> is never sampled.

    \b
    Example:
      language-model generate model.safetensors "the king" --lines 1 --nucleus 0.9 --seed 7
    """

    refuse_with("--temperature 0", given["temperature"] == 0, "top_k", "nucleus", "seed")

    from seqclf import load_model

    loaded = load_model(model, "language model")
    with usage_errors():
        lines = 1 if lines is None and length is None else lines
        text = loaded.generate(prompt, length=100 if length is None else length, lines=lines, **given)
    click.echo(text, nl=not text.endswith("\n"))


def _text(corpus: tuple[str, ...], encoding: str, encoding_errors: str) -> "TextCorpus":
    from corpora import TextCorpus

    return TextCorpus(*corpus, encoding=encoding, encoding_errors=encoding_errors)


def _visible(token: str) -> str:
    """Return a token as one printable line; control characters are escaped."""
    return token if token.isprintable() else repr(token)[1:-1]


def _measure(loss: float, unit: str) -> str:
    import math

    return f"{math.exp(loss) if loss < 709 else math.inf:,.2f}" if unit == "word" else f"{loss / math.log(2):.3f}"


def _name(unit: str) -> str:
    return "perplexity" if unit == "word" else "bits per character"


def _dev_measure(metrics: Mapping[str, float], unit: str) -> str:
    return f", dev {_name(unit)} {_measure(metrics['dev_loss'], unit)}" if "dev_loss" in metrics else ""


def _summary(model: "TrainedLanguageModel") -> str:
    from wordvec.system.wording import counted

    metrics = model.metrics
    best = f"best epoch {metrics['best_epoch']} of {len(model.history)}"
    if "dev_loss" in metrics:
        measure = f"{_name(model.unit)} {_measure(metrics['dev_loss'], model.unit)}"
        best += f", dev {measure} on {counted(metrics['dev_tokens'], model.unit)}"
    return f"{best}; trained on {counted(metrics['tokens'], model.unit)}, vocabulary of {len(model.vocabulary):,}"


def _report(measured: "Perplexity", source: str, unit: str) -> str:
    losses = {
        "this model": measured.loss,
        "with a continuous cache": measured.cache_loss,
        "unigram model": measured.unigram_loss,
        "bigram model, Witten-Bell": measured.bigram_loss,
        "5-gram model, Kneser-Ney": measured.kneser_ney_loss,
    }
    rows = [[name, _measure(loss, unit)] for name, loss in losses.items() if loss is not None]
    unknown = f"{measured.unknown:,} of {measured.tokens:,} {unit}s are unknown"
    return table(rows, [source, _name(unit)]) + f"\n{unknown}"
