"""``wordvec convert``: convert vectors between file formats."""

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import log


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("source", type=options.INPUT)
@click.argument("target", type=options.OUTPUT)
@click.option("--limit", type=options.LEAST_1, metavar="N", help="Keep the first N words.  [default: all]")
@click.option("--skip-bad-rows", is_flag=True, help="Skip invalid rows (NaN, wrong length) and count them.")
@options.encoding_option
@options.quiet_option
def convert(source: str, target: str, limit: int | None, skip_bad_rows: bool, encoding: str, quiet: bool) -> None:
    """Convert the vectors in SOURCE, in any supported format, to the format named by the extension of TARGET.

    \b
    Example:
      wordvec convert vectors.safetensors vectors.bin
    """
    from wordvec import load_vectors, save_vectors

    vectors = load_vectors(source, limit=limit, skip_bad_rows=skip_bad_rows, encoding=encoding)
    save_vectors(vectors, target)
    log(f"{target}: {len(vectors):,} words x {vectors.vector_size}", quiet)
