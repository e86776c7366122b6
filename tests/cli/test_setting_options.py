"""Options derived from settings: names, types, defaults and help."""

import dataclasses

import click
import pytest
from click.testing import CliRunner

from cli import main
from cli.shared.setting_options import all_setting_options
from seqclf import ClassifierSettings, ForecasterSettings, LanguageModelSettings, TaggerSettings
from wordvec import Word2VecSettings
from wordvec.system.settings import Settings, declaration, flags_of, setting, settings_class


@settings_class
class Example(Settings):
    """An example."""

    size: int = setting("How large.", default=4, least=2)
    cell: str = setting("Which.", default="a", choices=("a", "b"))
    tied: bool = setting("Together.", default=True, flags="--tied/--untied")
    log: bool = setting("Logarithms.", default=False, flags="--log")
    limit: float | None = setting("At most.", default=None, above=0, none="all", metavar="X")
    engine: int = setting("Internal.", default=1, command_line=False)


def run(*arguments):
    given = {}

    @click.command
    @all_setting_options(Example, size={"help": "Changed."})
    def command(**options):
        given.update(options)

    result = CliRunner().invoke(command, arguments)
    return result, given


def test_defaults_are_those_of_the_settings():
    _, given = run()
    assert given == {"size": 4, "cell": "a", "tied": True, "log": False, "limit": None}
    assert Example(**given) == Example()


def test_options_reach_the_command():
    _, given = run("--size", "6", "--cell", "b", "--untied", "--log", "--limit", "2.5")
    assert Example(**given) == Example(size=6, cell="b", tied=False, log=True, limit=2.5)


def test_help_shows_what_is_declared():
    text = " ".join(run("--help")[0].output.split())
    assert "--size INTEGER Changed. [default: 4]" in text
    assert "--cell [a|b] Which. [default: a]" in text
    assert "--tied / --untied Together. [default: tied]" in text
    assert "--log Logarithms." in text
    assert "--limit X At most. [default: all]" in text
    assert "engine" not in text


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("train_embeddings", Word2VecSettings),
        ("classify_text", ClassifierSettings),
        ("tag_text", TaggerSettings),
        ("language_model", LanguageModelSettings),
        ("forecast", ForecasterSettings),
    ],
)
def test_training_commands_offer_every_setting(group, kind):
    command = getattr(main, group)
    command = command.commands["train"] if isinstance(command, click.Group) else command
    offered = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    for field in dataclasses.fields(kind):
        if declaration(field).command_line:
            assert set(flags_of(field).split("/")) <= offered
