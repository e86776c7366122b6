"""``wordvec distance``: distance or similarity of two texts, by the vectors of their words."""

from collections.abc import Callable

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import log, print_json, print_json_line


@click.command(cls=Command, context_settings=options.HELP)
@options.vectors_argument
@click.argument("texts", nargs=-1)
@click.option(
    "--files",
    type=options.INPUT,
    nargs=2,
    metavar="FILE FILE",
    help="Compare each line of one file with the same line of the other, instead of TEXTS.",
)
@click.option(
    "--method",
    type=click.Choice(["wmd", "relaxed", "soft-cosine"]),
    default="wmd",
    show_default=True,
    help="Word mover's distance, its lower bound, or soft cosine, a similarity from 0 to 1.",
)
@options.subword_fallback_option
@options.json_option
def distance(
    vectors: str,
    texts: tuple[str, ...],
    files: tuple[str, str] | None,
    method: str,
    subword_fallback: bool,
    as_json: bool,
) -> None:
    """Print the distance of two TEXTS: how far the words of one must travel to become the other.

    Texts are tokenized like the training text; words without a vector are left out. With --files, each line of output
    is the result of one line of both; - stands for a text without known words.

    \b
    Examples:
      wordvec distance vectors.safetensors "the king visited paris" "the queen visited rome"
      wordvec distance vectors.safetensors --files english.txt simple.txt --method soft-cosine
    """
    if (len(texts) != 2) if files is None else texts:
        raise click.UsageError("give two TEXTS in quotes, or --files FILE FILE")

    from corpora import InputError, read_texts
    from wordvec import load_vectors
    from wordvec.vectors.distances import relaxed_word_movers_distance, soft_cosine, word_movers_distance

    key = "similarity" if method == "soft-cosine" else "distance"
    measures: dict[str, Callable[..., float]] = {
        "wmd": word_movers_distance,
        "relaxed": relaxed_word_movers_distance,
        "soft-cosine": soft_cosine,
    }
    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    firsts, seconds = map(read_texts, files) if files else ([texts[0]], [texts[1]])
    if files and len(firsts) != len(seconds):
        counts = f"{files[0]} has {len(firsts):,} texts, {files[1]} {len(seconds):,}"
        raise InputError(f"{counts}; both must have the same number")
    pairs = list(zip(firsts, seconds, strict=True))
    known = [all(any(word in loaded for word in loaded.tokenize(text)) for text in pair) for pair in pairs]
    if not any(known):
        raise InputError("no pair of texts has known words on both sides; give texts in the language of the vectors")
    found = [measures[method](loaded, *pair) if ok else None for pair, ok in zip(pairs, known, strict=True)]
    if unknown := known.count(False):
        log(f"{unknown:,} of {len(pairs):,} pairs have a text without known words, and no result")
    write = print_json_line if files else print_json
    for (first, second), result in zip(pairs, found, strict=True):
        if as_json:
            write({"first": first, "second": second, "method": method, key: result})
        else:
            click.echo("-" if result is None else f"{result:.4f}")
