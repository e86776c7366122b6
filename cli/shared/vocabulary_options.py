"""Options that determine the vocabulary."""

from typing import Any

import click

from cli.shared.options import INPUT, LEAST_1, OUTPUT, C

_OPTIONS = (
    click.option("--keep-words", type=INPUT, metavar="FILE", help="Words to keep however rare, one per line."),
    click.option("--drop-words", type=INPUT, metavar="FILE", help="Words to exclude, one per line."),
    click.option(
        "--vocabulary",
        type=INPUT,
        metavar="FILE",
        help="Read words and counts from FILE ('word count' per line, as saved by word2vec.c) instead of counting.",
    ),
    click.option("--save-vocabulary", "words_file", type=OUTPUT, metavar="FILE", help="Save words and counts."),
    click.option(
        "--max-types-in-memory",
        type=LEAST_1,
        default=10_000_000,
        show_default=True,
        metavar="N",
        help="Prune the rarest words if counting exceeds this many; a million takes 100 MB.",
    ),
)


def vocabulary_options(command: C) -> C:
    """Add ``--keep-words``, ``--drop-words``, ``--vocabulary``, ``--save-vocabulary`` and ``--max-types-in-memory``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_rules(given: dict[str, Any], encoding: str) -> dict[str, Any]:
    """Move these options from ``given`` to arguments of ``encode_corpus``, which are returned.

    ``encoding``: of the text, and of a vocabulary file that is not UTF-8.

    Raises:
        click.UsageError: ``--vocabulary`` is combined with an option that filters counted words.
    """
    from wordvec import load_vocabulary

    context = click.get_current_context()
    source, rules = given.pop("vocabulary"), {"max_types_in_memory": given.pop("max_types_in_memory")}
    if source is not None:
        for name in ("min_count", "max_vocabulary", "keep_words", "drop_words", "max_types_in_memory"):
            if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT:
                option = "--" + name.replace("_", "-")
                raise click.UsageError(f"--vocabulary already determines the words; leave out {option}")
        rules["vocabulary"] = load_vocabulary(source, encoding=encoding)
    for name in ("keep_words", "drop_words"):
        words = given.pop(name)
        if words is not None:
            rules[name] = words
    return rules
