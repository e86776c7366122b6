"""``wordvec align``: rotate the vectors of one file into the space of another."""

import click

from cli.shared import options
from cli.shared.alignment_options import aligned, alignment_options
from cli.shared.errors import Command
from cli.shared.reporting import log


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("source", type=options.INPUT)
@click.argument("target", type=options.INPUT)
@options.output_option("Rotated vectors of SOURCE; the extension names the format.")
@click.option(
    "--output-target",
    type=options.OUTPUT,
    metavar="FILE",
    help="Also write the centered unit vectors of TARGET to FILE.",
)
@alignment_options
@options.quiet_option
def align(
    source: str,
    target: str,
    output: str,
    output_target: str | None,
    dictionary: str | None,
    refinements: int,
    center: bool,
    quiet: bool,
) -> None:
    """Rotate the vectors of SOURCE so that paired words are close to those of TARGET.

    Both are L2-normalized, centered and normalized again first; use --output-target for vectors of TARGET to compare
    with. The rotation is orthogonal, and keeps the similarities within SOURCE.

    \b
    Example:
      wordvec align de.vec en.vec --dictionary de-en.txt -o de-aligned.vec --output-target en-aligned.vec
    """
    from wordvec import load_vectors
    from wordvec.formats.registry import output_format

    for path in filter(None, (output, output_target)):
        output_format(path)
    result = aligned(load_vectors(source), load_vectors(target), dictionary, refinements, center)
    result.source.save(output)
    if output_target is not None:
        result.target.save(output_target)
    log(f"{output}: {len(result.source):,} words x {result.source.vector_size}, by {result.pairs:,} pairs", quiet)
