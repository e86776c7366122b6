"""The command group ``wordvec`` and the commands of the console scripts, which are imported on first use."""

from importlib import import_module
from typing import Any

import click

from cli.shared.errors import Group
from cli.shared.options import HELP, version_option

# Name on the command line -> module and attribute.
COMMANDS = {
    "train-embeddings": ("cli.train_embeddings", "train_embeddings"),
    "word-analogy": ("cli.word_analogy", "word_analogy"),
    "classify-text": ("cli.classify_text", "classify_text"),
    "tag-text": ("cli.tag_text", "tag_text"),
    "language-model": ("cli.language_model", "language_model"),
    "forecast": ("cli.forecast", "forecast"),
    "transduce": ("cli.transduce", "transduce"),
    "documents": ("cli.documents", "documents"),
    "phrases": ("cli.phrases", "phrases"),
    "neighbors": ("cli.neighbors", "neighbors"),
    "similarity": ("cli.similarity", "similarity"),
    "odd-one-out": ("cli.odd_one_out", "odd_one_out"),
    "distance": ("cli.distance", "distance"),
    "vectors": ("cli.words", "vectors"),
    "sentences": ("cli.sentences", "sentences"),
    "evaluate": ("cli.evaluate", "evaluate"),
    "plot": ("cli.plot", "plot"),
    "explore": ("cli.explore", "explore"),
    "summarize": ("cli.summarize", "summarize"),
    "association": ("cli.association", "association"),
    "postprocess": ("cli.postprocess", "postprocess"),
    "compare": ("cli.compare", "compare"),
    "align": ("cli.align", "align"),
    "translate": ("cli.translate", "translate"),
    "spell": ("cli.spell", "spell"),
    "convert": ("cli.convert", "convert"),
    "inspect": ("cli.inspect", "inspect"),
    "gradient-flow": ("cli.gradient_flow", "gradient_flow"),
    "info": ("cli.info", "info"),
    "compile": ("cli.compile_kernels", "compile_kernels"),
    "corpora": ("cli.catalogue", "corpora"),
}


class LazyGroup(Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings=HELP)
@version_option
def wordvec() -> None:
    """Train and query word embeddings; train recurrent networks to classify, tag, generate and translate text or
    forecast series.

    train-embeddings, word-analogy, classify-text, tag-text, language-model, forecast and transduce are also separate
    commands.

    \b
    Examples:
      wordvec train-embeddings sample:english -o vectors.safetensors
      wordvec neighbors vectors.safetensors king
      wordvec train-embeddings --help
    """


def __getattr__(name: str) -> Any:
    """Return the command of a console script, such as ``train_embeddings``: the same object as the group's."""
    command = name.replace("_", "-")
    if command in COMMANDS:
        module, attribute = COMMANDS[command]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'cli.main' has no attribute {name!r}")
