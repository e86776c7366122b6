"""``wordvec compare``: neighbors that two vector files share, and the words that differ most."""

from typing import TYPE_CHECKING

import click

from cli.shared import options
from cli.shared.errors import Command, usage_errors
from cli.shared.reporting import print_json, table
from cli.shared.unused import refuse_with

if TYPE_CHECKING:
    from wordvec.vectors.comparison import Comparison, WordChange


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("first", type=options.INPUT)
@click.argument("second", type=options.INPUT)
@click.argument("words", nargs=-1)
@click.option(
    "--neighbors", type=options.LEAST_1, default=10, show_default=True, metavar="N", help="Neighbors of each word."
)
@click.option(
    "--restrict",
    type=options.LEAST_1,
    default=10_000,
    show_default=True,
    metavar="N",
    help="Compare the first N shared words of FIRST; rare words differ most.",
)
@options.top_option
@options.json_option
def compare(
    first: str, second: str, words: tuple[str, ...], neighbors: int, restrict: int, top: int, as_json: bool
) -> None:
    """Compare the neighbors of the words that two files of vectors share.

    Prints the mean share of common neighbors, the mean cosine after the alignment of both spaces, the correlation of
    their similarities, and the --top words whose neighbors differ most, or the neighbors of WORDS.

    \b
    Examples:
      wordvec compare old.safetensors new.safetensors
      wordvec compare old.safetensors new.safetensors mouse cell
    """
    refuse_with("WORDS", words, "top")

    from wordvec import load_vectors
    from wordvec.vectors.comparison import changes_of, compare

    result = compare(load_vectors(first), load_vectors(second), top=neighbors, restrict=restrict)
    with usage_errors():
        changes = changes_of(result, words) if words else result.changes[:top]
    if as_json:
        print_json({**result.summary(), "words": [change.summary() for change in changes]})
    else:
        click.echo(f"{_totals(result)}\n\n{_changes(changes)}")


def _totals(result: "Comparison") -> str:
    rows = [
        ["shared words", f"{result.shared:,}"],
        ["compared words", f"{result.compared:,}"],
        [f"common neighbors of {result.top}", f"{result.overlap:.3f}"],
        ["cosine after alignment", _number(result.cosine)],
        ["correlation of similarities", _number(result.correlation)],
    ]
    return table(rows)


def _changes(changes: "list[WordChange]") -> str:
    blocks = []
    for change in changes:
        head = f"{change.word}  common {change.overlap:.2f}"
        if change.cosine is not None:
            head += f"  cosine {change.cosine:.2f}"
        first, second = (" ".join(words) for words in change.neighbors)
        blocks.append(f"{head}\n  first:  {first}\n  second: {second}")
    return "\n".join(blocks)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
