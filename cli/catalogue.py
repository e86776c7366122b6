"""``wordvec corpora``: list known public data sets and locate their files."""

import click

from cli.shared import options
from cli.shared.errors import Group
from cli.shared.reporting import print_json


@click.group(cls=Group, context_settings=options.HELP)
def corpora() -> None:
    """List known public data sets and locate their files in the folder $WORDVEC_DATA.

    Commands that read text accept data:NAME or data:NAME/PART for such a file.

    \b
    Examples:
      wordvec corpora list
      wordvec corpora path wiki8
    """


@corpora.command("list", context_settings=options.HELP)
@options.json_option
def list_sets(as_json: bool) -> None:
    """List the known data sets with source and license, and how many of their files are present.

    \b
    Example:
      wordvec corpora list --json
    """
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
        present = f"{len(known.present())} of {len(known.files)} files present"
        parts = f"; parts: {', '.join(known.files)}" if len(known.files) > 1 else ""
        click.echo(f"{known.name} ({known.kind}; {present}{parts})")
        click.echo(f"    {known.title}\n    {known.homepage}\n    license: {known.licence}")


@corpora.command(context_settings=options.HELP)
@click.argument("name")
def path(name: str) -> None:
    """Print the paths of the files of data set NAME (or NAME/PART).

    \b
    Example:
      train-embeddings "$(wordvec corpora path wiki8)" -o vectors.safetensors
    """
    from corpora import find

    for place in find(name):
        click.echo(place)
