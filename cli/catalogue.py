"""``wordvec corpora``: public data sets in the folder WORDVEC_DATA names."""

import click

from cli.shared import options
from cli.shared.errors import Group
from cli.shared.reporting import print_json


@click.group(cls=Group, context_settings=options.HELP)
def corpora() -> None:
    """List public data sets, and find them in the folder that the variable WORDVEC_DATA names.

    Where a command asks for text, data:NAME or data:NAME/PART stands for such a file.
    """


@corpora.command("list", context_settings=options.HELP)
@options.json_option
def list_sets(as_json: bool) -> None:
    """List the data sets known, where they come from, and which are there."""
    from corpora import DATASETS

    sets = DATASETS.values()
    if as_json:
        print_json(
            [
                {
                    "name": known.name,
                    "title": known.title,
                    "kind": known.kind,
                    "homepage": known.homepage,
                    "licence": known.licence,
                    "parts": list(known.files),
                    "present": {part: str(path) for part, path in known.present().items()},
                }
                for known in sets
            ]
        )
        return
    for known in sets:
        there = f"{len(known.present())} of {len(known.files)} files here"
        parts = f"; parts: {', '.join(known.files)}" if len(known.files) > 1 else ""
        click.echo(f"{known.name} ({known.kind}; {there}{parts})")
        click.echo(f"    {known.title}\n    {known.homepage}\n    licence: {known.licence}")


@corpora.command(context_settings=options.HELP)
@click.argument("name")
def path(name: str) -> None:
    """Print where the files of data set NAME (or NAME/PART) are.

    \b
    Example:
      train-embeddings "$(wordvec corpora path wiki8)" -o vectors.safetensors
    """
    from corpora import find

    for place in find(name):
        click.echo(place)
