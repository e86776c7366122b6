"""``classify-text info``: the model card of a classifier."""

import click

from cli.shared import options
from cli.shared.cards import markdown_option, print_card
from cli.shared.errors import Command, Failure

_CLASSIFIERS = ("model", "multi-label model", "fastText classifier")


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@markdown_option
@options.json_option
def info(model: str, markdown: bool, as_json: bool) -> None:
    """Print the model card of MODEL: training data, settings, measures, intended use and limits.

    The data are named by their BLAKE2b digests, which `b2sum -l 256 FILE` prints. `wordvec info` prints all that a file
    stores.

    \b
    Example:
      classify-text info model.safetensors --markdown > CARD.md
    """
    from wordvec.formats.registry import describe

    facts = describe(model)
    if facts["kind"] not in _CLASSIFIERS:
        raise Failure(f"{model} holds {facts['kind']}, not a classifier; wordvec info {model} describes it")
    print_card(facts, markdown, as_json)
