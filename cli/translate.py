"""``wordvec translate``: translations of words between two aligned vector spaces."""

import click

from cli.shared import options
from cli.shared.alignment_options import aligned, alignment_options
from cli.shared.errors import Command
from cli.shared.reporting import percent, print_json, table
from cli.shared.unused import refuse_with


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("source", type=options.INPUT)
@click.argument("target", type=options.INPUT)
@click.argument("words", nargs=-1)
@alignment_options
@click.option(
    "--test", "test_file", type=options.INPUT, metavar="FILE", help="Print the precision at 1, 5 and 10 on these pairs."
)
@click.option(
    "--method",
    type=click.Choice(["csls", "cosine"]),
    default="csls",
    show_default=True,
    help="Rank by cosine, or by CSLS, which corrects it for words that are near to everything.",
)
@options.top_option
@options.json_option
def translate(
    source: str,
    target: str,
    words: tuple[str, ...],
    dictionary: str | None,
    refinements: int,
    center: bool,
    test_file: str | None,
    method: str,
    top: int,
    as_json: bool,
) -> None:
    """Translate WORDS of SOURCE to those of TARGET, two files of vectors that are aligned on a --dictionary.

    \b
    Examples:
      wordvec translate de.safetensors en.safetensors hund katze --dictionary train.txt
      wordvec translate de.safetensors en.safetensors --dictionary train.txt --test test.txt
    """
    if bool(words) == (test_file is not None):
        raise click.UsageError("give WORDS or --test FILE, and not both")
    refuse_with("--test FILE", test_file, "top")

    from wordvec import load_vectors
    from wordvec.vectors.alignment import evaluate_translation, read_dictionary

    result = aligned(load_vectors(source), load_vectors(target), dictionary, refinements, center)
    if test_file is not None:
        found = evaluate_translation(result, read_dictionary(test_file), tops=(1, 5, 10), method=method)
        if as_json:
            print_json({"precision": found.precision, "asked": found.asked, "words": found.words})
        else:
            click.echo(f"{found.asked:,} of {found.words:,} words")
            click.echo(table([[f"precision at {k}", percent(share)] for k, share in found.precision.items()]))
        return
    answers = result.translate(words, top, method=method)
    if as_json:
        print_json(
            [
                {"word": word, "translations": [{"token": token, "score": score} for token, score in each]}
                for word, each in zip(words, answers, strict=True)
            ]
        )
        return
    blocks = [table([[token, f"{score:.4f}"] for token, score in each]) for each in answers]
    if len(words) > 1:
        blocks = [f"{word}:\n{block}" for word, block in zip(words, blocks, strict=True)]
    click.echo("\n\n".join(blocks))
