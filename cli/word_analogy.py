"""``word-analogy``: solve word analogies (a is to b as c is to what?)."""

import contextlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.evaluate import analogy_table
from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import log, note_vectors, print_json, table
from cli.shared.unused import refuse_with, refuse_without

if TYPE_CHECKING:
    from wordvec import WordVectors

_PROMPT_HELP = """\
king - man + woman    add and subtract word vectors
man king woman        man is to king as woman is to what?
king                  nearest neighbors of a word
Ctrl-D exits."""


class _AnalogyCommand(Command):
    """A command whose errors explain how to pass words that start with a dash."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            hint = "put spaces around a minus; put -- before words that start with one"
            raise click.UsageError(f"No such option: {error.option_name}; {hint}", ctx) from None


@click.command(cls=_AnalogyCommand, context_settings=options.HELP)
@options.vectors_argument
@click.argument("words", nargs=-1)
@click.option(
    "--questions", type=options.INPUT, metavar="FILE", help="Evaluate a file of analogy questions by section."
)
@options.protocol_option
@options.method_option
@options.case_sensitive_option
@options.top_option
@options.subword_fallback_option
@options.json_option
@options.version_option
def word_analogy(
    vectors: str,
    words: tuple[str, ...],
    questions: str | None,
    protocol: str,
    method: Any,
    case_sensitive: bool,
    top: int,
    subword_fallback: bool,
    as_json: bool,
) -> None:
    """Solve a word analogy: WORDS are an expression, or three words a b c for "a is to b as c is to what?".

    Without WORDS, starts an interactive prompt on a terminal.

    \b
    Examples:
      word-analogy vectors.safetensors king - man + woman
      word-analogy vectors.safetensors man king woman
      word-analogy vectors.safetensors --questions questions-words.txt
    """
    if questions is not None and words:
        raise click.UsageError("give WORDS or --questions FILE, not both")
    if questions is None and not words and (sys.stdin is None or not sys.stdin.isatty()):
        raise click.UsageError("give WORDS or --questions FILE; without them the prompt needs a terminal")
    refuse_without("--questions FILE", questions, "protocol", "case_sensitive")
    refuse_with("--questions FILE", questions, "top")
    if as_json and not words and questions is None:
        raise click.UsageError("--json has no effect at the prompt; give WORDS or --questions FILE")
    query = parse_query(words) if words else None

    from wordvec import load_vectors

    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    if questions is not None:
        from wordvec import evaluate_analogies

        result = evaluate_analogies(loaded, questions, protocol=protocol, method=method, case_sensitive=case_sensitive)
        if as_json:
            print_json(result.summary())
        else:
            click.echo(analogy_table(result))
    elif query is not None:
        _print_answers(loaded, query, top, method, as_json)
    else:
        _prompt(loaded, top, method)


def parse_query(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the positive and the negative words of a query.

    Example:
        >>> parse_query(["king", "-", "man", "+", "woman"])
        (['king', 'woman'], ['man'])
        >>> parse_query(["man", "king", "woman"])
        (['king', 'woman'], ['man'])

    Raises:
        click.UsageError: the query is neither one word, three words nor an expression.
    """
    parts = words[0].split() if len(words) == 1 else list(words)
    if not any(part in ("+", "-") for part in parts):
        if len(parts) == 3:
            return [parts[1], parts[2]], [parts[0]]
        if len(parts) == 1:
            return parts, []
        raise click.UsageError(f"give three words, or an expression such as king - man + woman; got {len(parts)} words")
    if parts[0] not in ("+", "-"):
        parts.insert(0, "+")
    signs, terms = parts[::2], parts[1::2]
    if len(signs) != len(terms) or set(signs) - {"+", "-"} or set(terms) & {"+", "-"}:
        raise click.UsageError(f"words and signs must alternate, as in king - man + woman; got {' '.join(words)}")
    return (
        [term for sign, term in zip(signs, terms, strict=True) if sign == "+"],
        [term for sign, term in zip(signs, terms, strict=True) if sign == "-"],
    )


def _print_answers(
    vectors: "WordVectors", query: tuple[list[str], list[str]], top: int, method: Any, as_json: bool
) -> None:
    positive, negative = query
    answers = vectors.most_similar(positive, negative, top, method=method)
    note_vectors(vectors, positive + negative)
    if as_json:
        found = [{"token": token, "score": score} for token, score in answers]
        print_json({"positive": positive, "negative": negative, "method": method, "answers": found})
    else:
        click.echo(table([[token, f"{score:.4f}"] for token, score in answers]))


def _prompt(vectors: "WordVectors", top: int, method: Any) -> None:
    """Answer queries until the input ends; errors are reported, not fatal."""
    from wordvec import InputError

    with contextlib.suppress(ImportError):  # adds line editing and history to input(), where available
        import readline  # noqa: F401
    log(_PROMPT_HELP)
    while True:
        try:
            line = input("> ")
        except EOFError:
            click.echo()
            return
        if not line.strip():
            continue
        try:
            _print_answers(vectors, parse_query(line.split()), top, method, as_json=False)
        except click.UsageError as error:
            log(error.format_message())
        except InputError as error:
            log(str(error))
