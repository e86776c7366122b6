"""``wordvec vectors``: the vectors of words."""

import click

from cli.shared import options
from cli.shared.errors import Command, Failure
from cli.shared.reporting import log, note_vectors, print_json


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("words", nargs=-1)
@click.option(
    "--input", "source", type=options.INPUT, metavar="FILE", help="Read words from FILE, one a line; - for stdin."
)
@options.subword_fallback_option
@options.json_option
def vectors(vectors: str, words: tuple[str, ...], source: str | None, subword_fallback: bool, as_json: bool) -> None:
    """Print the vector of each of WORDS: the word and its numbers, separated by spaces.

    The numbers are exact. Words without a vector are reported on stderr after the others; the exit code is then 1.

    \b
    Example:
      wordvec vectors vectors.safetensors king queen
    """
    if bool(words) == (source is not None):
        raise click.UsageError("give WORDS or --input FILE (- for standard input), and not both")

    from corpora import read_texts
    from wordvec import UnknownTokenError, load_vectors

    asked = list(words) if source is None else [line.strip() for line in read_texts(source) if line.strip()]
    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    found, problems = [], []
    for word in asked:
        try:
            found.append((word, loaded[word].tolist()))
        except UnknownTokenError as error:
            problems.append(str(error))
    note_vectors(loaded, [word for word, _ in found])
    if as_json:
        print_json([{"word": word, "vector": vector} for word, vector in found])
    else:
        for word, vector in found:
            click.echo(" ".join([word, *(f"{number:.9g}" for number in vector)]))
    for problem in problems[:-1]:
        log(f"Error: {problem}")
    if problems:
        raise Failure(problems[-1])
