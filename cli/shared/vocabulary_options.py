"""Which words get a vector: options of the commands that count a text."""

from collections.abc import Callable
from typing import Any

import click

from cli.shared.options import LEAST_1

_OPTIONS = (
    click.option("--keep-words", type=click.Path(), metavar="FILE", help="Words to keep however rare, one a line."),
    click.option("--drop-words", type=click.Path(), metavar="FILE", help="Words to leave out, one a line."),
    click.option(
        "--vocabulary",
        type=click.Path(),
        metavar="FILE",
        help="Take words and counts from FILE, 'word count' a line, as word2vec.c saves them; count nothing.",
    ),
    click.option("--save-vocabulary", "words_file", type=click.Path(), metavar="FILE", help="Write words and counts."),
    click.option(
        "--max-types-in-memory",
        type=LEAST_1,
        default=10_000_000,
        show_default=True,
        metavar="N",
        help="Forget the rarest words while counting when there are more; a million takes 100 MB.",
    ),
)


def vocabulary_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--keep-words``, ``--drop-words``, ``--vocabulary``, ``--save-vocabulary`` and ``--max-types-in-memory``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_rules(given: dict[str, Any]) -> dict[str, Any]:
    """Take these options out of ``given``: what they mean to ``encode_corpus``.

    Raises:
        click.UsageError: ``--vocabulary`` stands beside what chooses among counted words.
    """
    from wordvec import load_vocabulary

    context = click.get_current_context()
    source, rules = given.pop("vocabulary"), {"max_types_in_memory": given.pop("max_types_in_memory")}
    if source is not None:
        for name in ("min_count", "max_vocabulary", "keep_words", "drop_words", "max_types_in_memory"):
            if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
                option = "--" + name.replace("_", "-")
                raise click.UsageError(f"--vocabulary says which words there are; leave out {option}")
        rules["vocabulary"] = load_vocabulary(source)
    for name in ("keep_words", "drop_words"):
        words = given.pop(name)
        if words is not None:
            rules[name] = words
    return rules
