"""``wordvec summarize``: extractive summaries."""

import click

from cli.shared import options
from cli.shared.errors import Command, usage_errors
from cli.shared.reporting import print_json


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("file", type=options.INPUT)
@click.option(
    "--ratio",
    type=float,
    default=0.2,
    show_default=True,
    metavar="X",
    help="Maximum length of the summary, as a share of the words of the text.",
)
@click.option(
    "--method",
    type=click.Choice(["coverage", "textrank"]),
    default="coverage",
    show_default=True,
    help="Sentences that together represent the text (saturated coverage), or the baseline TextRank.",
)
@options.encoding_options
@options.json_option
def summarize(file: str, ratio: float, method: str, encoding: str, encoding_errors: str, as_json: bool) -> None:
    """Print the most representative sentences of FILE, in their order, one a line; - reads standard input.

    There is always at least one sentence. With --json, prints each sentence with its number in the text and its words.

    \b
    Example:
      wordvec summarize article.txt --ratio 0.1
    """
    from wordvec.system.validation import check_number

    with usage_errors():
        check_number("ratio", ratio, above=0, most=1)

    from corpora import read_lines
    from wordvec.applications.summaries import summary_sentences

    text = "\n".join(read_lines(file, encoding=encoding, encoding_errors=encoding_errors))
    found, words = summary_sentences(text, ratio, method=method)
    if as_json:
        sentences = [{"number": each.number, "words": each.words, "text": each.text} for each in found]
        print_json({"method": method, "words": sum(each.words for each in found), "of": words, "sentences": sentences})
    else:
        click.echo("\n".join(each.text for each in found))
