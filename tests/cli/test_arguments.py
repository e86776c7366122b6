"""Arguments that start with a dash."""

import json

import click
import pytest
from click.testing import CliRunner

from cli.shared.errors import Command
from cli.shared.options import HELP


@click.command(cls=Command, context_settings=HELP)
@click.argument("texts", nargs=-1)
@click.option("-o", "--output")
@click.option("--top", type=int)
@click.option("-q", "--quiet", is_flag=True)
def show(**given):
    click.echo(json.dumps(given))


@pytest.mark.parametrize(
    ("arguments", "texts", "others"),
    [
        (["-5 degrees", "-q"], ("-5 degrees",), {"quiet": True}),
        (["- fire, help", "a"], ("- fire, help", "a"), {}),
        (["--- dam bursts ---", "--top", "3"], ("--- dam bursts ---",), {"top": 3}),
        (["-- the"], ("-- the",), {}),
        (["", " ", " - a", "- "], ("", " ", " - a", "- "), {}),
        (["--", "-5", "- x", "--top"], ("-5", "- x", "--top"), {}),
        (["-quiet please", "-q"], ("-quiet please",), {"quiet": True}),
        (["-help me"], ("-help me",), {}),
        (["--top secret"], ("--top secret",), {}),
        (["--a=b is wrong"], ("--a=b is wrong",), {}),
        (["-", "-oa b", "x"], ("-", "x"), {"output": "a b"}),
        (["--output=a b", "-o", "- c"], (), {"output": "- c"}),
    ],
)
def test_texts_that_start_with_a_dash_are_no_options(arguments, texts, others):
    result = CliRunner().invoke(show, arguments)
    assert result.exit_code == 0, result.output
    expected = {"output": None, "top": None, "quiet": False, "texts": list(texts)} | others
    assert json.loads(result.output) == expected


def test_a_single_word_with_a_dash_is_reported_with_the_remedy():
    result = CliRunner().invoke(show, ["-5"])
    assert result.exit_code == 2
    assert "-5" in result.stderr.splitlines()[-1]
    assert result.stderr.endswith("; put -- before an argument that starts with -\n")
    assert "put --" not in CliRunner().invoke(show, ["--nothing"]).stderr


def test_errors_show_arguments_as_given():
    result = CliRunner().invoke(show, ["--top", "-5 or 6"])
    assert result.exit_code == 2
    assert "'-5 or 6' is not a valid integer" in result.stderr
