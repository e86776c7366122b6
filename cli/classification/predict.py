"""``classify-text predict``: predictions for texts on the command line, of a file or a stream, or of many files."""

import contextlib
import functools
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from cli.classification.answering import Asked
from cli.classification.examples import load_classifier
from cli.classification.tables import PredictionTable
from cli.shared import options
from cli.shared.errors import Command, note_output
from cli.shared.map_options import MapStep, map_options
from cli.shared.reporting import Progress
from cli.shared.streaming import Arriving
from cli.shared.supervised import source_to_predict
from cli.shared.unused import refuse_without

if TYPE_CHECKING:
    from seqclf import ClassifierModel
    from seqclf.classification.answers import Answer
    from seqclf.classification.fasttext import FastTextClassifier

T = TypeVar("T")

_TABLES = click.Choice(["csv", "tsv", "jsonl", "parquet"])


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--input", "source", type=options.INPUT, metavar="FILE", help="Read texts from FILE; - for standard input."
)
@click.option("--text-column", metavar="NAME", help="With --input: name of the text column.  [default: text]")
@click.option(
    "-o",
    "--output",
    type=options.OUTPUT,
    metavar="FILE",
    help="With --input of a table: write a .csv, .tsv, .jsonl or .parquet file with its columns and the predictions.",
)
@click.option("--id-column", metavar="NAME", help="With a table: keep this column of the input only.  [default: all]")
@click.option("--input-format", type=_TABLES, help="Format of the table in --input.  [default: by its extension]")
@click.option(
    "--format",
    "output_format",
    type=_TABLES,
    help="Write a table in this format, to --output or standard output.  [default: by the extension of --output]",
)
@click.option(
    "-k",
    "--top-k",
    type=options.LEAST_1,
    metavar="K",
    help="Print the K most probable labels.  [default: 1; multi-label: all]",
)
@click.option(
    "--min-confidence",
    type=options.FloatRange(0, 1),
    metavar="P",
    help="Abstain from texts whose most probable label is less probable: print an empty label, or null with --json.",
)
@click.option(
    "--threshold",
    type=options.FloatRange(0, 1),
    metavar="P",
    help="Of a multi-label MODEL: predict the labels of at least this probability.  [default: MODEL's thresholds]",
)
@click.option(
    "--files",
    type=options.INPUT,
    metavar="FILES",
    help="Read texts from all files of a folder or glob, and write one file for each to --output-folder.",
)
@click.option("--output-folder", type=options.OUTPUT, metavar="FOLDER", help="Where --files writes NAME.predictions.")
@map_options
@options.encoding_options
@options.threads_option
@options.json_option
@options.quiet_option
def predict(
    model: str,
    texts: tuple[str, ...],
    source: str | None,
    output: str | None,
    id_column: str | None,
    input_format: str | None,
    output_format: str | None,
    files: str | None,
    output_folder: str | None,
    text_column: str | None,
    top_k: int | None,
    min_confidence: float | None,
    threshold: float | None,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Print one line per TEXT: the predicted label, a tab, and its probability; with -k K, K of these pairs.

    MODEL is a file of classify-text train, or a supervised model of fastText (.bin or .ftz), whose labels are printed
    without __label__.

    For a multi-label MODEL: the predicted labels, a tab, and all labels with their probabilities, most probable first.

    --input reads tables by their extension, with or without labels: one text per record of a .csv, .tsv or .jsonl
    file, and one per line, including blank lines, of other files and of standard input, which a single - instead of
    TEXT names. Answers come in order, and as soon as the input pauses. With --json, each line is an object with the
    probabilities of all labels, or of K, and the share of words that the model does not know. Put -- before a TEXT
    of a single word that starts with a dash.

    With --output or --format, the input is a table with a header, and so is the output: the columns of the input, or
    only --id-column, then predicted and probability, with -k K also probabilities.

    \b
    Examples:
      classify-text predict model.safetensors "Forest fire near the village"
      classify-text predict model.safetensors --input texts.txt
      classify-text predict model.safetensors --input messages.csv -o answers.csv
      classify-text predict model.safetensors --files 'news/*.txt' --output-folder labels --local-cluster 4
    """
    mapped = MapStep(given, files, output_folder, [*texts, *filter(None, [source])])
    asked = Asked(top_k, min_confidence, as_json, threshold)
    reading: dict[str, Any] = {"encoding": encoding, "encoding_errors": encoding_errors, "text_column": text_column}
    if files is not None:
        if output or output_format or id_column or input_format:
            raise click.UsageError("--files writes lines to --output-folder; leave the options of tables out")
        mapped.run(_FilePrediction(os.path.abspath(model), asked, reading), threads)
        return
    source = source_to_predict(texts, source, "TEXT", ("--text-column", text_column))
    is_table = output is not None or output_format is not None
    refuse_without("--output or --format", is_table, "id_column", "input_format")
    if is_table and (source is None or as_json):
        raise click.UsageError("--output and --format write a table of --input FILE; leave TEXT and --json out")
    table_format = _format_of(output, output_format) if is_table else ""

    from corpora import iter_texts

    loaded = load_classifier(model)
    if min_confidence is not None and hasattr(loaded, "thresholds"):
        raise click.UsageError(f"--min-confidence needs a model of one label per text; {model} has several")
    if threshold is not None and not hasattr(loaded, "thresholds"):
        raise click.UsageError(
            f"--threshold needs a multi-label model; {model} has one label per text: --min-confidence"
        )
    predicted = functools.partial(_predicted, loaded, asked, threads=threads)
    with Progress("predicting", quiet or (output is None and sys.stdout.isatty())) as progress:
        counted = functools.partial(_counted, progress)
        if not is_table:
            for batch in counted(Arriving(texts if source is None else iter_texts(source, **reading))):
                click.echo("\n".join(asked.line(answer) for answer in predicted(batch)))
            return
        from corpora.records import open_records

        records = open_records(str(source), format=input_format, **reading)
        with _output(output) as file:
            added = asked.columns(several=hasattr(loaded, "thresholds"))
            table = PredictionTable(file, table_format, records, id_column, added)
            for part in counted(Arriving(records.rows)):
                found = predicted([text for _, text, _ in part])
                table.write(part, [asked.values(answer, table_format) for answer in found])
                file.flush()
            table.close()
        if output is not None:
            note_output(output)


def _predicted(
    model: "ClassifierModel | FastTextClassifier", asked: Asked, texts: Sequence[str], *, threads: int | None
) -> "list[Answer]":
    from seqclf.classification.answers import answers

    return answers(
        model, texts, min_confidence=asked.min_confidence, threshold=asked.threshold, unknown_words=asked.as_json,
        threads=threads,
    )  # fmt: skip


def _counted(progress: Progress, batches: Iterable[list[T]]) -> Iterator[list[T]]:
    """Yield batches, and show how many of their items have been answered."""
    done, started = 0, time.monotonic()
    for batch in batches:
        yield batch
        done += len(batch)
        progress.count(done, "texts", done / max(time.monotonic() - started, 1e-9))


def _format_of(output: str | None, format: str | None) -> str:
    from corpora.records import table_format

    ending = os.path.splitext(str(output))[1]  # of a .csv.gz, .gz: tables are not compressed
    found = format or table_format(f"table{ending}")
    if found is None:
        raise click.UsageError(f"--output {output} must end in .csv, .tsv, .jsonl or .parquet, or give --format")
    return found


@contextlib.contextmanager
def _output(path: str | None) -> Iterator[IO[bytes]]:
    """Open a file that is replaced when it is complete, or standard output."""
    from wordvec.system.atomic_files import replacing

    if path is None:
        yield sys.stdout.buffer
    else:
        with replacing(path) as file:
            yield file


@dataclass(frozen=True)
class _FilePrediction:
    """The predictions for the texts of a file, wherever they are computed."""

    model: str
    asked: Asked
    reading: dict[str, Any]

    def __call__(self, name: str) -> bytes:
        from corpora import read_texts

        texts = read_texts(name, **self.reading)
        if not texts:
            return b""
        found = _predicted(_loaded(self.model), self.asked, texts, threads=1)
        return "".join(f"{self.asked.line(answer)}\n" for answer in found).encode()


_loaded = functools.lru_cache(maxsize=1)(load_classifier)
"""For a process that predicts many files."""
