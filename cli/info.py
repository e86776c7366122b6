"""``wordvec info``: describe a file of vectors or a model."""

from typing import Any

import click

from cli.shared import options
from cli.shared.errors import Command
from cli.shared.reporting import print_json


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("file", type=options.INPUT)
@click.option("--parameters", is_flag=True, help="Only list the parameters of a network, with their memory.")
@options.json_option
def info(file: str, parameters: bool, as_json: bool) -> None:
    """Describe FILE: vectors in any supported format, or any file written by this toolkit.

    \b
    Example:
      wordvec info model.safetensors
    """
    if parameters:
        _print_parameters(file, as_json)
        return

    from wordvec.formats.registry import describe

    facts = describe(file)
    if as_json:
        print_json(facts)
    else:
        click.echo("\n".join(_lines(facts)))


def _print_parameters(file: str, as_json: bool) -> None:
    from seqclf import load_model
    from seqclf.inspection.summary import summarize

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
        return ", ".join(map(str, value))
    return str(value)
