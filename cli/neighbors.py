"""``wordvec neighbors``: nearest neighbors of a word."""

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import print_json, table


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("words", nargs=-1, required=True)
@options.top_option
@options.json_option
def neighbors(vectors: str, words: tuple[str, ...], top: int, as_json: bool) -> None:
    """Print the nearest neighbors of each of WORDS with their cosine similarities.

    \b
    Example:
      wordvec neighbors vectors.safetensors paris
    """
    from wordvec import load_vectors

    loaded = load_vectors(vectors)
    found = list(zip(words, loaded.most_similar_batch(words, top), strict=True))
    if as_json:
        print_json([{"word": word, "neighbors": [{"token": t, "score": s} for t, s in near]} for word, near in found])
        return
    blocks = [table([[token, f"{score:.4f}"] for token, score in near]) for _, near in found]
    if len(words) > 1:
        blocks = [f"{word}:\n{block}" for word, block in zip(words, blocks, strict=True)]
    click.echo("\n\n".join(blocks))
