"""``wordvec neighbors``: nearest neighbors of a word."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.shared import options
from cli.shared.errors import Command, Failure
from cli.shared.reporting import log, note_vectors, print_json, table

if TYPE_CHECKING:
    from wordvec import WordVectors


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("words", nargs=-1, required=True)
@options.top_option
@options.subword_fallback_option
@options.json_option
def neighbors(vectors: str, words: tuple[str, ...], top: int, subword_fallback: bool, as_json: bool) -> None:
    """Print the nearest neighbors of each of WORDS with their cosine similarities.

    Words that are not in the vocabulary are reported on stderr after the others' neighbors; the exit code is then 1.

    \b
    Example:
      wordvec neighbors vectors.safetensors paris
    """
    from wordvec import load_vectors

    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    found, problems = _answers(loaded, words, top)
    note_vectors(loaded, [word for word, _ in found])
    if as_json and found:
        print_json([{"word": word, "neighbors": [{"token": t, "score": s} for t, s in near]} for word, near in found])
    elif found:
        blocks = [table([[token, f"{score:.4f}"] for token, score in near]) for _, near in found]
        if len(words) > 1:
            blocks = [f"{word}:\n{block}" for (word, _), block in zip(found, blocks, strict=True)]
        click.echo("\n\n".join(blocks))
    for problem in problems[:-1]:
        log(f"Error: {problem}")
    if problems:
        raise Failure(problems[-1])


def _answers(
    vectors: "WordVectors", words: Sequence[str], top: int
) -> tuple[list[tuple[str, list[tuple[str, float]]]], list[str]]:
    """Return the neighbors of each word, and a message for each word that has none."""
    from wordvec import InputError

    try:
        return list(zip(words, vectors.most_similar_batch(words, top), strict=True)), []
    except InputError:
        pass
    found, problems = [], []
    for word in words:
        try:
            found.append((word, vectors.most_similar_batch([word], top)[0]))
        except InputError as error:
            problems.append(str(error))
    return found, problems
