"""Model cards on standard output: as text, Markdown or JSON."""

from collections.abc import Mapping
from typing import Any

import click

from cli.shared.reporting import print_json

markdown_option = click.option("--markdown", is_flag=True, help="Print the model card as Markdown.")


def print_card(facts: Mapping[str, Any], markdown: bool, as_json: bool) -> None:
    """Print the model card of a file, given its facts."""
    from wordvec.formats.cards import model_card

    if markdown and as_json:
        raise click.UsageError("--markdown has no effect with --json; leave one out")
    card = model_card(facts)
    if as_json:
        print_json(card.as_dict())
    else:
        click.echo(card.markdown() if markdown else card.text())
