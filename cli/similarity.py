"""``wordvec similarity``: cosine similarity of two words."""

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import note_vectors, print_json


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("first")
@click.argument("second")
@options.subword_fallback_option
@options.json_option
def similarity(vectors: str, first: str, second: str, subword_fallback: bool, as_json: bool) -> None:
    """Print the cosine similarity of two words, between -1 and 1.

    \b
    Example:
      wordvec similarity vectors.safetensors king queen
    """
    from wordvec import load_vectors

    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    cosine = loaded.similarity(first, second)
    note_vectors(loaded, [first, second])
    if as_json:
        print_json({"first": first, "second": second, "similarity": cosine})
    else:
        click.echo(f"{cosine:.4f}")
