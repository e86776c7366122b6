"""``classify-text check``: what is wrong with labeled texts."""

from typing import Any

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import one_line, percent, print_json, table

_SHOWN = 5
"""Lines of a finding that are printed."""


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("data", type=options.INPUT)
@click.option("--dev", type=options.INPUT, metavar="FILE", help="Also check validation data, and against DATA.")
@click.option("--test", type=options.INPUT, metavar="FILE", help="Also check test data, and against DATA.")
@click.option("--vectors", type=options.INPUT, metavar="FILE", help="Count the words that have a vector here.")
@click.option("--multi-label", metavar="SEP", help="A text has any number of labels, separated by SEP.")
@options.columns_options
@click.option(
    "--encoding", type=options.Encoding(), default="utf-8", show_default=True, help="Text encoding of all files."
)
@options.json_option
def check(
    data: str,
    dev: str | None,
    test: str | None,
    vectors: str | None,
    multi_label: str | None,
    as_json: bool,
    **reading: Any,
) -> None:
    """Check labeled DATA before training a classifier on it.

    Lists, with files and lines: texts without a label, texts of --dev and --test that are also in DATA, equal texts
    with different labels, duplicates, empty and very long texts, characters of a wrong encoding, a header taken for
    data, rare and unknown labels; and the number of texts of each label. The exit code is 0 unless a file cannot be
    read. With --json, all lines are listed.

    \b
    Examples:
      classify-text check messages.tsv --test test.tsv --vectors vectors.safetensors
      classify-text check reports.csv --multi-label ,
    """
    from corpora import check_labelled, iter_label_sets, iter_labelled

    reading["encoding_errors"] = "replace"
    files = [file for file in (data, dev, test) if file is not None]
    parts: dict[str, list[Any]]
    if multi_label is None:
        parts = {file: list(iter_labelled(file, empty_labels=True, **reading)) for file in files}
    else:
        parts = {file: list(iter_label_sets(file, multi_label, **reading)) for file in files}
    report = check_labelled(parts)
    coverage = {} if vectors is None else _coverage(vectors, parts)
    if as_json:
        print_json(report.as_dict() | ({"coverage": coverage} if coverage else {}))
        return
    labels = sorted({label for part in report.parts.values() for label in part.labels})
    labels.sort(key=lambda label: -sum(part.labels.get(label, 0) for part in report.parts.values()))
    rows = [
        ["texts", *(f"{part.texts:,}" for part in report.parts.values())],
        *([f"  {label}", *(f"{part.labels.get(label, 0):,}" for part in report.parts.values())] for label in labels),
        ["shortest text", *(f"{part.shortest:,}" for part in report.parts.values())],
        ["median text", *(f"{part.median:,.0f}" for part in report.parts.values())],
        ["longest text", *(f"{part.longest:,}" for part in report.parts.values())],
    ]
    if coverage:
        rows.append(["words with a vector", *(percent(part["words"]) for part in coverage.values())])
        rows.append(["distinct words with a vector", *(percent(part["types"]) for part in coverage.values())])
    click.echo(table(rows, ["", *report.parts]))
    for finding in report.findings:
        more = [f"  and {len(finding.lines) - _SHOWN:,} more"] if len(finding.lines) > _SHOWN else []
        lines = "\n".join([*(f"  {one_line(line)}" for line in finding.lines[:_SHOWN]), *more])
        click.echo(f"\n{finding.kind}: {one_line(finding.message)}" + (f"\n{lines}" if lines else ""))
    if not report.findings:
        click.echo("\nNothing suspicious was found.")


def _coverage(vectors: str, parts: dict[str, list[Any]]) -> dict[str, dict[str, float]]:
    """Return the shares of the words, and of the distinct words, of each file that have a vector in a training."""
    from seqclf.training.resolved import vector_coverage
    from wordvec import load_vectors

    return vector_coverage({name: [text for _, text, _ in part] for name, part in parts.items()}, load_vectors(vectors))
