"""Options of the commands that align two vector spaces."""

from typing import TYPE_CHECKING

import click

from cli.shared import options

if TYPE_CHECKING:
    from wordvec import WordVectors
    from wordvec.vectors.alignment import Alignment

alignment_options = options.together(
    click.option(
        "--dictionary",
        type=options.INPUT,
        metavar="FILE",
        help="Pairs to align on: a source and a target word per line.  [default: the words that both have]",
    ),
    click.option(
        "--refinements",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        metavar="N",
        help="Repeat N times with the pairs that are each other's nearest.",
    ),
    click.option("--no-center", "center", is_flag=True, default=True, flag_value=False, help="Keep the spaces' means."),
)


def aligned(
    source: "WordVectors", target: "WordVectors", dictionary: str | None, refinements: int, center: bool
) -> "Alignment":
    """Return the alignment that the options ask for."""
    from wordvec.vectors.alignment import align, read_dictionary

    pairs = None if dictionary is None else read_dictionary(dictionary)
    return align(source, target, pairs, center=center, refinements=refinements)
