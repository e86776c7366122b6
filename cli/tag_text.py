"""``tag-text``: train, evaluate and apply taggers."""

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.checkpoints import Checkpointing
from cli.shared.compiling_ahead import compile_ahead
from cli.shared.errors import Command, Group, usage_errors
from cli.shared.pictures import check_picture, draw_confusion
from cli.shared.reporting import percent, print_json, table
from cli.shared.streaming import Arriving
from cli.shared.supervised import (
    as_known,
    class_table,
    source_to_predict,
    train_and_save,
    training_options,
    warn_if_seen,
    warn_if_unknown,
)
from seqclf import TaggerSettings

if TYPE_CHECKING:
    from seqclf import TaggerModel
    from seqclf.metrics import EntityScore, Score

Sentences = Sequence[Sequence[str]]


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def tag_text() -> None:
    """Train, evaluate and apply sequence taggers (one tag per token, such as parts of speech).

    DATA is tagged text: a token, a tab and its tag on each line, an empty line after each sentence. CoNLL files with
    more columns are supported, and so is compression; or sample:tags and sample:tags-test.

    \b
    Examples:
      tag-text train sample:tags -o tagger.safetensors
      tag-text predict tagger.safetensors "the old king sleeps"
      tag-text evaluate tagger.safetensors sample:tags-test
    """


@tag_text.command(cls=Command, context_settings=options.HELP)
@click.argument("data", type=options.INPUT)
@training_options(TaggerSettings, "Tagged text")
@options.tag_columns_options
def train(
    data: str,
    output: str,
    vectors: str | None,
    subword_fallback: bool,
    dev: str | None,
    test: str | None,
    threads: int | None,
    quiet: bool,
    token_column: int | None,
    tag_column: int | None,
    encoding: str,
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

    checkpointing = Checkpointing.take(given, output)
    with usage_errors():
        settings = TaggerSettings(**given)
    compile_ahead("tagger", settings.record(), threads)
    columns: dict[str, Any] = {"token_column": token_column, "tag_column": tag_column}
    trained = train_and_save(
        train_tagger, partial(read_tagged, encoding=encoding, encoding_errors=encoding_errors, **columns),
        data=data, dev=dev, test=test, vectors=vectors, subword_fallback=subword_fallback, output=output,
        settings=settings, checkpointing=checkpointing, threads=threads, quiet=quiet, unit="sentences",
    )  # fmt: skip
    if trained.test is not None:
        names = ("this model", "most frequent tag of each word")
        warn_if_seen(trained.training, trained.test, data, str(test), quiet)
        scores, entities = _scored(trained.model, *trained.test, threads=threads, quiet=quiet)
        rows = [
            [name, percent(result.accuracy), f"{result.macro_f1:.3f}"]
            for name, result in zip(names, scores, strict=True)
        ]
        for row, found in zip(rows, entities, strict=False):
            row.append(f"{found.f1:.3f}")
        click.echo(table(rows, [f"on {test}", "accuracy", "macro-F1", *(["entity F1"] if entities else [])]))


@tag_text.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("sentences", nargs=-1, metavar="[SENTENCE]...")
@click.option(
    "--input", "source", type=options.INPUT, metavar="FILE", help="Read sentences from FILE; - for standard input."
)
@click.option("--token-column", type=options.LEAST_1, metavar="N", help="With --input: column of the tokens.")
@options.encoding_options
@options.threads_option
@options.json_option
def predict(
    model: str,
    sentences: tuple[str, ...],
    source: str | None,
    token_column: int | None,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Print one line per token: the token, a tab, and its tag; with an empty line after each SENTENCE.

    Sentences are tokenized at white space: separate words and punctuation as in the training data. --input reads one
    sentence per line; or one token per line, with or without tags, from a .tsv, .conll or .conllu file or if
    --token-column is given. A single - instead of SENTENCE reads standard input. Answers come in order, and as soon as
    the input pauses. With --json, each line is an object
    for one sentence, with the probabilities of its tags. Put -- before a SENTENCE of a single word that starts with a
    dash.

    \b
    Examples:
      tag-text predict tagger.safetensors "The old man feeds the ducks ."
      tag-text predict tagger.safetensors --input sentences.txt
    """
    source = source_to_predict(sentences, source, "SENTENCE", ("--token-column", token_column))

    from corpora import iter_tokens
    from seqclf import load_model

    loaded = load_model(model, "tagger")
    asked: Iterable[list[str]] = map(str.split, sentences)
    if source is not None:
        asked = iter_tokens(source, encoding=encoding, encoding_errors=encoding_errors, token_column=token_column)
    for batch in Arriving(asked):
        click.echo("\n".join(_answers(loaded, batch, threads, as_json)))


def _answers(model: "TaggerModel", sentences: list[list[str]], threads: int | None, as_json: bool) -> Iterator[str]:
    """Yield the lines of each sentence's answer, or one JSON object for it."""
    tags = model.predict(sentences, threads=threads)
    if not as_json:
        for words, row in zip(sentences, tags, strict=True):
            yield "".join(f"{word}\t{tag}\n" for word, tag in zip(words, row, strict=True))
        return
    found = model.predict_proba(sentences, threads=threads)
    place = {label: column for column, label in enumerate(model.labels)}
    for words, row, shares in zip(sentences, tags, found, strict=True):
        own = [float(share[place[tag]]) for tag, share in zip(row, shares, strict=True)]
        answer = {"tokens": words, "tags": [str(tag) for tag in row], "probabilities": own}
        yield json.dumps(answer, ensure_ascii=False)


@tag_text.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("data", type=options.INPUT)
@click.option(
    "--plot", type=options.OUTPUT, metavar="FILE", help="Draw the confusion matrix to a .png, .svg or .pdf file."
)
@options.tag_columns_options
@options.encoding_options
@options.threads_option
@options.json_option
def evaluate(model: str, data: str, plot: str | None, threads: int | None, as_json: bool, **reading: Any) -> None:
    """Evaluate MODEL on tagged DATA.

    Prints token accuracy, compared with that of each word's most frequent tag, and the scores of each tag. If tags mark
    entities (BIO, BIOES), also the scores of whole entities, as conlleval and seqeval define them.

    \b
    Example:
      tag-text evaluate tagger.safetensors sample:tags-test
    """
    from corpora import read_tagged
    from seqclf import load_model

    check_picture(plot)
    loaded = load_model(model, "tagger")
    sentences, tags = read_tagged(data, **reading)
    (result, simple), entities = _scored(loaded, sentences, tags, threads=threads)
    if plot is not None:
        draw_confusion(result, plot)
    sizes = {"sentences": len(sentences), "tokens": sum(map(len, sentences))}
    if as_json:
        own = {"entities": entities[0].as_dict()} if entities else {}
        print_json({**sizes, "accuracy_of_most_frequent_tags": simple.accuracy, **result.as_dict(), **own})
        return
    head = [
        *([name, f"{size:,}"] for name, size in sizes.items()),
        ["accuracy", percent(result.accuracy)],
        ["  of each word's most frequent tag", percent(simple.accuracy)],
        ["macro-F1", f"{result.macro_f1:.3f}"],
    ]
    if entities:
        measures = ("precision", "recall", "f1")
        rows = [
            [f"entity {'F1' if name == 'f1' else name}", *(f"{getattr(found, name):.3f}" for found in entities)]
            for name in measures
        ]
        head += [row[:2] for row in rows] + [["  F1 of each word's most frequent tag", rows[-1][2]]]
    click.echo(f"{table(head)}\n\n{class_table(result, 'tag', 'tokens')}")
    if entities:
        click.echo(f"\n{class_table(entities[0], 'entity', 'entities')}")


def _scored(
    model: "TaggerModel", sentences: Sentences, tags: Sentences, *, threads: int | None, quiet: bool = False
) -> tuple[list["Score"], list["EntityScore"]]:
    """Return the scores of the model and of most frequent tags: of tokens and, if tags mark entities, of entities.

    Unknown tags count as errors.
    """
    from corpora import InputError
    from seqclf import score, score_entities

    known = [str(label) for label in model.labels]
    truth = as_known([tag for row in tags for tag in row], known)
    warn_if_unknown(truth, known, "tags", quiet)
    labels = known + sorted(set(truth) - set(known))
    found = model.predict(sentences, threads=threads), model.most_frequent(sentences)
    scores = [score(truth, [str(tag) for row in rows for tag in row], labels) for rows in found]
    entities: list[EntityScore] = []
    if model.marks_entities:
        with contextlib.suppress(InputError):  # the data have tags of another kind
            entities = [score_entities(tags, rows) for rows in found]
    return scores, entities
