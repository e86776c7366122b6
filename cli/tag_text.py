"""``tag-text``: train, evaluate and apply taggers."""

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command, Group, usage_errors
from cli.shared.reporting import percent, print_json, table
from cli.shared.supervised import class_table, lines_to_predict, train_and_save, training_options
from seqclf import TaggerSettings

if TYPE_CHECKING:
    from seqclf import Score, TaggerModel

Sentences = Sequence[Sequence[str]]


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def tag_text() -> None:
    """Train, evaluate and apply sequence taggers (one tag per token, such as parts of speech).

    DATA is tagged text: a token, a tab and its tag on each line, an empty line after each sentence. CoNLL files with
    more columns are supported, and so is compression; or sample:tags and sample:tags-test.
    """


@tag_text.command(cls=Command, context_settings=options.HELP)
@click.argument("data", type=options.INPUT)
@training_options(TaggerSettings, "Tagged text")
@options.tag_columns_options
def train(
    data: str,
    output: str,
    vectors: str | None,
    dev: str | None,
    test: str | None,
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
    from seqclf import train_tagger

    with usage_errors():
        settings = TaggerSettings(**given)
    columns: dict[str, Any] = {"token_column": token_column, "tag_column": tag_column}
    trained = train_and_save(
        train_tagger, partial(read_tagged, encoding_errors=encoding_errors, **columns),
        data=data, dev=dev, test=test, vectors=vectors, output=output, settings=settings, threads=threads, quiet=quiet,
        unit="sentences",
    )  # fmt: skip
    if trained.test is not None:
        rows = [
            [name, percent(result.accuracy), f"{result.macro_f1:.3f}"]
            for name, result in zip(
                ("this model", "most frequent tag of each word"),
                _scored(trained.model, *trained.test, threads=threads),
                strict=True,
            )
        ]
        click.echo(table(rows, [f"on {test}", "accuracy", "macro-F1"]))


@tag_text.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("sentences", nargs=-1, metavar="[SENTENCE]...")
@click.option(
    "--input",
    "source",
    type=options.INPUT,
    metavar="FILE",
    help="Read sentences from FILE, one per line; - for standard input.",
)
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
    """Print one line per token: the token, a tab, and its tag; with an empty line after each SENTENCE.

    Sentences are tokenized at white space: separate words and punctuation as in the training data. A single - instead
    of SENTENCE reads standard input, one sentence per line. With --json, each line is an object for one sentence, with
    the probabilities of its tags.

    \b
    Examples:
      tag-text predict tagger.safetensors "The old man feeds the ducks ."
      tag-text predict tagger.safetensors --input sentences.txt
    """
    asked = lines_to_predict(sentences, source, "SENTENCE", encoding_errors)

    from seqclf import load_model

    loaded = load_model(model, "tagger")
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
@click.argument("model", type=options.INPUT)
@click.argument("data", type=options.INPUT)
@options.tag_columns_options
@options.encoding_errors_option
@options.threads_option
@options.json_option
def evaluate(model: str, data: str, threads: int | None, as_json: bool, **reading: Any) -> None:
    """Evaluate MODEL on tagged DATA.

    Prints token accuracy, compared with that of each word's most frequent tag, and the scores of each tag.

    \b
    Example:
      tag-text evaluate tagger.safetensors sample:tags-test
    """
    from corpora import read_tagged
    from seqclf import load_model

    loaded = load_model(model, "tagger")
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
    click.echo(f"{table(head)}\n\n{class_table(result, 'tag', 'tokens')}")


def _scored(model: "TaggerModel", sentences: Sentences, tags: Sentences, *, threads: int | None) -> list["Score"]:
    """Return the token-level scores of the model and of most frequent tags; unknown tags count as errors."""
    from seqclf import score

    truth = [tag for row in tags for tag in row]
    known = [str(label) for label in model.labels]
    labels = known + sorted(set(truth) - set(known))
    found = model.predict(sentences, threads=threads), model.most_frequent(sentences)
    return [score(truth, [str(tag) for row in rows for tag in row], labels) for rows in found]
