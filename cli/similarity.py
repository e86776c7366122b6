"""``wordvec similarity``: cosine similarity of two words."""

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import note_vectors, print_json


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("first")
@click.argument("second")
@click.option("--rank", is_flag=True, help="Also print each word's rank among the neighbors of the other.")
@options.subword_fallback_option
@options.json_option
def similarity(vectors: str, first: str, second: str, rank: bool, subword_fallback: bool, as_json: bool) -> None:
    """Print the cosine similarity of two words, between -1 and 1.

    \b
    Examples:
      wordvec similarity vectors.safetensors king queen
      wordvec similarity vectors.safetensors king queen --rank
    """
    from wordvec import load_vectors

    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    cosine = loaded.similarity(first, second)
    ranks = (loaded.rank(second, first), loaded.rank(first, second)) if rank else None
    note_vectors(loaded, [first, second])
    if as_json:
        found = {"first": first, "second": second, "similarity": cosine}
        print_json(found if ranks is None else {**found, "rank_of_first": ranks[0], "rank_of_second": ranks[1]})
        return
    click.echo(f"{cosine:.4f}")
    if ranks is not None:
        click.echo(f"{first} is neighbor {ranks[0]:,} of {second}\n{second} is neighbor {ranks[1]:,} of {first}")
