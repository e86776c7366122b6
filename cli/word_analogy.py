"""``word-analogy``: solve word analogies (a is to b as c is to what?)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.evaluate import analogy_table
from cli.shared import options
from cli.shared.errors import Command
from cli.shared.evaluations import draw_scores
from cli.shared.pictures import check_picture
from cli.shared.prompts import Answers, answer_lines, input_option, prompt, require_queries
from cli.shared.reporting import note_vectors, print_json, table
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
            if error.possibilities:
                raise
            hint = "put spaces around a minus; put -- before words that start with one"
            raise click.UsageError(f"No such option: {error.option_name}; {hint}", ctx) from None


@click.command(cls=_AnalogyCommand, context_settings=options.HELP)
@options.vectors_argument
@click.argument("words", nargs=-1)
@click.option(
    "--questions", type=options.INPUT, metavar="FILE", help="Evaluate a file of analogy questions by section."
)
@click.option(
    "--plot",
    type=options.OUTPUT,
    metavar="FILE",
    help="With --questions: draw the accuracy of each section to a .png, .svg or .pdf file.",
)
@input_option
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
    plot: str | None,
    source: str | None,
    protocol: str,
    method: Any,
    case_sensitive: bool,
    top: int,
    subword_fallback: bool,
    as_json: bool,
) -> None:
    """Solve a word analogy: WORDS are an expression, or three words a b c for "a is to b as c is to what?".

    Without WORDS, starts an interactive prompt on a terminal. --input answers the queries of a file or pipe.

    \b
    Examples:
      word-analogy vectors.safetensors king - man + woman
      word-analogy vectors.safetensors man king woman
      word-analogy vectors.safetensors --questions questions-words.txt
    """
    if questions is not None and (words or source is not None):
        raise click.UsageError(f"give {'WORDS' if words else '--input FILE'} or --questions FILE, not both")
    if questions is None:
        require_queries(words, source, "WORDS or --questions FILE", as_json)
    refuse_without("--questions FILE", questions, "protocol", "case_sensitive", "plot")
    refuse_with("--questions FILE", questions, "top")
    query = parse_query(words) if words else None

    from wordvec import load_vectors

    check_picture(plot)
    loaded = load_vectors(vectors, subword_fallback=subword_fallback)
    if questions is not None:
        from wordvec import evaluate_analogies

        result = evaluate_analogies(loaded, questions, protocol=protocol, method=method, case_sensitive=case_sensitive)
        if plot is not None:
            draw_scores([vectors], [result.name], [[result]], [[None]], plot)
        if as_json:
            print_json(result.summary())
        else:
            click.echo(analogy_table(result))
    elif query is not None:
        _print_answers(loaded, query, top, method, as_json)
    elif source is not None:
        answer_lines(source, lambda lines: [_answer(loaded, line, top, method) for line in lines], as_json)
    else:
        prompt(
            _PROMPT_HELP,
            lambda line: _print_answers(loaded, parse_query(line.split()), top, method, as_json=False),
        )


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


def _answer(vectors: "WordVectors", line: str, top: int, method: Any) -> Answers | str:
    """Return the answers to a line, or what is wrong with it."""
    from wordvec import InputError

    try:
        positive, negative = parse_query(line.split())
        return list(vectors.most_similar(positive, negative, top, method=method))
    except click.UsageError as error:
        return error.format_message()
    except InputError as error:
        return str(error)
