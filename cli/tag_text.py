"""``tag-text``: train a tagger, use it, measure it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command, Group, usage_errors, written
from cli.shared.reporting import Progress, percent, print_json, say, show_epochs, table

if TYPE_CHECKING:
    from seqclf import Score, TaggerModel

Sentences = Sequence[Sequence[str]]


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def tag_text() -> None:
    """Train taggers (a tag for every token, such as parts of speech), tag with them, and measure them.

    DATA is tagged text in columns: a token, a tab and its tag on each line, an empty line after each sentence; CoNLL
    files, also with more columns, any of them compressed; or sample:tags and sample:tags-test.
    """


@tag_text.command(cls=Command, context_settings=options.HELP)
@click.argument("data")
@options.output_option("Where the model goes (.safetensors).")
@options.vectors_options
@click.option("--dev", metavar="FILE", help="Tagged text that chooses the epoch.  [default: a tenth of DATA]")
@click.option("--test", metavar="FILE", help="Tagged text to measure the model on at the end.")
@click.option(
    "--head",
    type=click.Choice(["softmax", "crf"]),
    default="softmax",
    show_default=True,
    help="Choose each tag alone, or those of a sentence together (a conditional random field).",
)
@click.option(
    "--feature-size",
    type=int,
    default=64,
    show_default=True,
    help="Numbers learnt for beginning, ending and shape of a token.",
)
@click.option("--word-dropout", type=float, default=0.1, show_default=True, help="Share of words made unknown.")
@options.recurrent_options
@options.training_options(dropout=0.33)
@click.option("--lowercase/--keep-case", default=None, help="Casing of words.  [default: that of the vectors]")
@options.tag_columns_options
@options.encoding_errors_option
@options.seed_option
@options.threads_option
@options.quiet_option
def train(
    data: str,
    output: str,
    vectors: str | None,
    dev: str | None,
    test: str | None,
    freeze_vectors: bool,
    threads: int | None,
    quiet: bool,
    token_column: int | None,
    tag_column: int | None,
    encoding_errors: str,
    **given: Any,
) -> None:
    """Train a tagger on DATA and write it to a file.

    \b
    Example:
      tag-text train sample:tags -o tagger.safetensors --test sample:tags-test
    """
    from corpora import read_tagged
    from seqclf import TaggerSettings, train_tagger
    from wordvec import check_target, load_vectors

    with usage_errors():
        settings = TaggerSettings(tune_vectors=not freeze_vectors, **given).validate()
    check_target(output)
    columns: dict[str, Any] = {
        "token_column": token_column,
        "tag_column": tag_column,
        "encoding_errors": encoding_errors,
    }
    sentences, tags = read_tagged(data, **columns)
    dev_data, test_data = (None if name is None else read_tagged(name, **columns) for name in (dev, test))
    pretrained = None if vectors is None else load_vectors(vectors)
    with Progress("training", quiet) as progress:
        model = train_tagger(
            sentences,
            tags,
            settings=settings,
            vectors=pretrained,
            dev=dev_data,
            threads=threads,
            on_progress=lambda state: show_epochs(progress, state, quiet),
        )
    model.save(output)
    written(output)
    say(f"{output}: {_described(model)}", quiet)
    if test_data is not None:
        rows = [
            [name, percent(result.accuracy), f"{result.macro_f1:.3f}"]
            for name, result in zip(
                ("this model", "most frequent tag of each word"),
                _scored(model, *test_data, threads=threads),
                strict=True,
            )
        ]
        click.echo(table(rows, [f"on {test}", "accuracy", "macro-F1"]))


@tag_text.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=click.Path())
@click.argument("sentences", nargs=-1, metavar="[SENTENCE]...")
@click.option("--input", "source", metavar="FILE", help="Read sentences from a file, one a line; - for standard input.")
@options.encoding_errors_option
@options.threads_option
@options.json_option
def predict(
    model: str,
    sentences: tuple[str, ...],
    source: str | None,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Print each token of each SENTENCE with a tab and its tag, and an empty line after each sentence.

    A sentence is cut at white space: put some between words and punctuation, as the training data have it. A single -
    instead of SENTENCE reads standard input, one sentence a line. With --json a line is an object for each sentence,
    with each tag's probability.

    \b
    Examples:
      tag-text predict tagger.safetensors "The old man feeds the ducks ."
      tag-text predict tagger.safetensors --input sentences.txt
    """
    if (source is None) == (not sentences):
        raise click.UsageError("give SENTENCE, or --input FILE, or - for standard input")
    if sentences == ("-",):
        source = "-"

    from corpora import read_lines
    from seqclf import load_tagger

    loaded = load_tagger(model)
    asked = sentences if source is None else read_lines(source, encoding_errors=encoding_errors)
    tokens = [sentence.split() for sentence in asked]
    tags = loaded.predict(tokens, threads=threads)
    if as_json:
        found = loaded.predict_proba(tokens, threads=threads)
        place = {label: column for column, label in enumerate(loaded.labels)}
        for words, row, shares in zip(tokens, tags, found, strict=True):
            own = [float(share[place[tag]]) for tag, share in zip(row, shares, strict=True)]
            answer = {"tokens": words, "tags": [str(tag) for tag in row], "probabilities": own}
            click.echo(json.dumps(answer, ensure_ascii=False))
        return
    for words, row in zip(tokens, tags, strict=True):
        click.echo("".join(f"{word}\t{tag}\n" for word, tag in zip(words, row, strict=True)))


@tag_text.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=click.Path())
@click.argument("data")
@options.tag_columns_options
@options.encoding_errors_option
@options.threads_option
@options.json_option
def evaluate(model: str, data: str, threads: int | None, as_json: bool, **reading: Any) -> None:
    """Compare MODEL's tags for DATA with the right ones.

    Prints the share of tokens tagged right, beside that of each word's most frequent tag, and each tag's scores.

    \b
    Example:
      tag-text evaluate tagger.safetensors sample:tags-test
    """
    from corpora import read_tagged
    from seqclf import load_tagger

    loaded = load_tagger(model)
    sentences, tags = read_tagged(data, **reading)
    result, simple = _scored(loaded, sentences, tags, threads=threads)
    sizes = {"sentences": len(sentences), "tokens": sum(map(len, sentences))}
    if as_json:
        print_json({**sizes, "accuracy_of_most_frequent_tags": simple.accuracy, **result.as_dict()})
        return
    head = [
        *([name, f"{size:,}"] for name, size in sizes.items()),
        ["accuracy", percent(result.accuracy)],
        ["  of each word's most frequent tag", percent(simple.accuracy)],
        ["macro-F1", f"{result.macro_f1:.3f}"],
    ]
    rows = [
        [str(row.label), f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", f"{row.support:,}"]
        for row in result.classes
    ]
    click.echo(f"{table(head)}\n\n{table(rows, ['tag', 'precision', 'recall', 'F1', 'tokens'])}")


def _described(model: "TaggerModel") -> str:
    metrics = model.metrics
    chosen = f"epoch {metrics['best_epoch']} of {len(model.history)} kept"
    if "dev_accuracy" in metrics:
        share = percent(metrics["dev_accuracy"])
        chosen += f" for its dev accuracy of {share} on {metrics['dev_sentences']:,} sentences"
    return (
        f"{chosen}; trained on {metrics['sentences']:,} sentences, {metrics['tokens']:,} tokens, "
        f"{len(model.labels)} tags, {len(model.vocabulary):,} words"
    )


def _scored(model: "TaggerModel", sentences: Sentences, tags: Sentences, *, threads: int | None) -> list["Score"]:
    """The model's score and that of most frequent tags, by token; a tag the model does not know counts as an error."""
    from seqclf import score

    truth = [tag for row in tags for tag in row]
    known = [str(label) for label in model.labels]
    labels = known + sorted(set(truth) - set(known))
    found = model.predict(sentences, threads=threads), model.most_frequent(sentences)
    return [score(truth, [str(tag) for row in rows for tag in row], labels) for rows in found]
