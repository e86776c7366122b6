"""``wordvec neighbors``: nearest neighbors of a word."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cli.shared import options
from cli.shared.errors import Command, Failure, note_output
from cli.shared.prompts import Answers, answer_lines, input_option, prompt, require_queries
from cli.shared.reporting import log, note_vectors, percent, print_json, table

if TYPE_CHECKING:
    from wordvec import WordVectors


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("words", nargs=-1)
@input_option
@options.top_option
@click.option(
    "--approximate",
    is_flag=True,
    help="Search in the index VECTORS.index, built on first use: faster for many words, but misses some neighbors.",
)
@options.subword_fallback_option
@options.json_option
def neighbors(
    vectors: str,
    words: tuple[str, ...],
    source: str | None,
    top: int,
    approximate: bool,
    subword_fallback: bool,
    as_json: bool,
) -> None:
    """Print the nearest neighbors of each of WORDS with their cosine similarities.

    Without WORDS, starts an interactive prompt on a terminal. --input answers a file or pipe with a word per line.

    Words that are not in the vocabulary are reported on stderr after the others' neighbors; the exit code is then 1.

    \b
    Examples:
      wordvec neighbors vectors.safetensors paris
      wordvec neighbors vectors.safetensors --input words.txt --approximate
    """
    require_queries(words, source, "WORDS", as_json)

    from wordvec import load_vectors

    loaded = load_vectors(vectors, subword_fallback=subword_fallback and not approximate)
    if approximate:
        loaded = _indexed(loaded, f"{vectors}.index")
    if source is not None:
        answer_lines(source, lambda lines: _each(loaded, lines, top), as_json, "neighbors")
        return
    if not words:
        prompt("A word: its nearest neighbors. Ctrl-D exits.", lambda line: _print(loaded, line.strip(), top))
        return
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


def _indexed(vectors: "WordVectors", path: str) -> "WordVectors":
    """Return the vectors with the index in a file, which is built and written if it does not exist."""
    from wordvec.system.atomic_files import check_target
    from wordvec.vectors.approximate import IndexedVectors

    if os.path.exists(path):
        return IndexedVectors.load(path, vectors)
    check_target(path)
    indexed = IndexedVectors(vectors)
    indexed.save_index(path)
    note_output(path)
    log(f"built {path}: it finds {percent(indexed.recall())} of the 10 nearest neighbors (200 words)")
    return indexed


def _print(vectors: "WordVectors", word: str, top: int) -> None:
    near = vectors.most_similar(word, top=top)
    note_vectors(vectors, [word])
    click.echo(table([[token, f"{score:.4f}"] for token, score in near]))


def _each(vectors: "WordVectors", words: Sequence[str], top: int) -> list[Answers | str]:
    """Return the neighbors of each word, or why it has none."""
    from wordvec import InputError

    try:
        return list(vectors.most_similar_batch(words, top))
    except InputError as error:
        if len(words) == 1:
            return [str(error)]
    return [found for word in words for found in _each(vectors, [word], top)]


def _answers(
    vectors: "WordVectors", words: Sequence[str], top: int
) -> tuple[list[tuple[str, list[tuple[str, float]]]], list[str]]:
    """Return the neighbors of each word, and a message for each word that has none."""
    found, problems = [], []
    for word, near in zip(words, _each(vectors, words, top), strict=True):
        if isinstance(near, str):
            problems.append(near)
        else:
            found.append((word, near))
    return found, problems
