"""``wordvec odd-one-out``: the word least similar to the others."""

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import note_vectors, print_json


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("words", nargs=-1, required=True)
@options.subword_fallback_option
@options.json_option
def odd_one_out(vectors: str, words: tuple[str, ...], subword_fallback: bool, as_json: bool) -> None:
    """Print the one of WORDS (three or more) that is farthest from their mean.

    \b
    Example:
      wordvec odd-one-out vectors.safetensors paris london berlin king
    """
    from wordvec import load_vectors

    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    odd = loaded.odd_one_out(words)
    note_vectors(loaded, words)
    if as_json:
        print_json({"words": words, "odd_one_out": odd})
    else:
        click.echo(odd)
