"""``wordvec info``: describe a file of vectors or a model."""

from typing import Any

import click

from cli.shared import options
from cli.shared.cards import markdown_option, print_card
from cli.shared.errors import Command
from cli.shared.reporting import one_line, print_json


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("file", type=options.INPUT)
@click.option(
    "--card",
    is_flag=True,
    help="Print a model card: training data, settings, measures, intended use and limits.",
)
@markdown_option
@click.option("--parameters", is_flag=True, help="Only list the parameters of a network, with their memory.")
@options.json_option
def info(file: str, card: bool, markdown: bool, parameters: bool, as_json: bool) -> None:
    """Describe FILE: vectors in any supported format, or any file written by this toolkit.

    Prints what the file stores, or with --card or --markdown its model card.

    \b
    Examples:
      wordvec info model.safetensors
      wordvec info vectors.safetensors --markdown > CARD.md
    """
    if parameters:
        if card or markdown:
            raise click.UsageError("--parameters lists parameters only; leave --card and --markdown out")
        _print_parameters(file, as_json)
        return

    from wordvec.formats.registry import describe

    facts = describe(file)
    if card or markdown:
        print_card(facts, markdown, as_json)
    elif as_json:
        print_json(facts)
    else:
        click.echo("\n".join(_lines(facts)))


def _print_parameters(file: str, as_json: bool) -> None:
    from seqclf import load_model
    from seqclf.summary import summarize

    found = summarize(load_model(file))
    if as_json:
        shapes = {name: list(shape) for name, shape in found.shapes.items()}
        print_json({"shapes": shapes, "parameters": found.parameters, "bytes": found.bytes})
    else:
        click.echo(found)


def _lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Return ``name: value`` lines; nested values are indented below their name."""
    lines = []
    for name, value in facts.items():
        if isinstance(value, dict) and set(value) == {"dtype", "shape"}:
            lines.append(f"{indent}{name}: {value['dtype']} {' x '.join(map(str, value['shape']))}")
        elif isinstance(value, dict) and value:
            if name == "settings":
                value = {key: "not set" if each is None else each for key, each in value.items()}
            lines += [f"{indent}{name}:", *_lines(value, indent + "  ")]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            lines.append(f"{indent}{name}:")
            for entry in value:
                first, *rest = _lines(entry, indent + "    ")
                lines += [f"{indent}  - {first.strip()}", *rest]
        else:
            lines.append(f"{indent}{name}: {_text(value)}")
    return lines


def _text(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return one_line(", ".join(map(str, value)))
    return str(value)
