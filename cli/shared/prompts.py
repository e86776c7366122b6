"""Queries of words from a prompt on a terminal, or from a file or pipe, line by line."""

import contextlib
import sys
from collections.abc import Callable, Sequence

import click

from cli.shared import options
from cli.shared.errors import Failure
from cli.shared.reporting import log, print_json_line

Answers = list[tuple[str, float]]

input_option = click.option(
    "--input",
    "source",
    type=options.INPUT,
    metavar="FILE",
    help="Answer each line of FILE, - for standard input: lines of query, token and score, separated by tabs.",
)


def require_queries(words: Sequence[str], source: str | None, what: str, as_json: bool) -> None:
    """Report missing or contradictory queries, or a prompt without a terminal, as usage errors."""
    if words and source is not None:
        raise click.UsageError(f"give {what} or --input FILE, not both")
    if not words and source is None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise click.UsageError(
                f"give {what} or --input FILE (- for standard input); without them the prompt needs a terminal"
            )
        if as_json:
            raise click.UsageError(f"--json has no effect at the prompt; give {what} or --input FILE")


def answer_lines(
    source: str,
    answer: Callable[[list[str]], list[Answers | str]],
    as_json: bool,
    key: str = "answers",
    score_key: str = "score",
    strip: Callable[[str], str] = str.strip,
) -> None:
    """Print the answers to each line as soon as the input pauses; empty lines have none.

    Args:
        source: the file, - for standard input.
        answer: takes lines; returns for each its answers, or why there are none, which is printed on stderr.
        as_json: print an object per line.
        key, score_key: of the answers in it, and of the number of an answer.
        strip: removes the white space around a line that does not matter.

    Raises:
        Failure: some lines had no answers.
    """
    from cli.shared.streaming import Arriving
    from corpora import iter_texts

    failed = total = 0
    for batch in Arriving(iter_texts(source)):
        lines = [strip(line) for line in batch if line.strip()]
        for line, found in zip(lines, answer(lines), strict=True):
            total += 1
            if isinstance(found, str):
                failed += 1
                log(f"Error: {found}")
            elif as_json:
                print_json_line({"query": line, key: [{"token": token, score_key: score} for token, score in found]})
            else:
                click.echo("".join(f"{line}\t{token}\t{score:.4f}\n" for token, score in found), nl=False)
        sys.stdout.flush()
    if failed:
        raise Failure(f"{failed:,} of {total:,} lines have no answers")


def prompt(help_text: str, answer: Callable[[str], None]) -> None:
    """Call ``answer`` with each line until the input ends; errors are reported, not fatal."""
    from wordvec import InputError

    with contextlib.suppress(ImportError):  # adds line editing and history to input(), where available
        import readline  # noqa: F401
    log(help_text)
    while True:
        try:
            line = input("> ")
        except EOFError:
            click.echo()
            return
        if not line.strip():
            continue
        try:
            answer(line)
        except click.UsageError as error:
            log(error.format_message())
        except InputError as error:
            log(str(error))
