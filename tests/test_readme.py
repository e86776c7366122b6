"""Every command and every example in the README, run from top to bottom as a new user would."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTSIDE = ("pip install", "git clone", "cd ", "make ", "eval ")
"""Commands about the installation itself: `make` and `pip` have tests of their own."""


def blocks(language):
    return [body for found, body in FENCE.findall(README) if found == language]


def console_commands():
    """The lines after a dollar sign, with those a backslash continues."""
    commands = []
    for body in blocks("console"):
        joined = body.replace("\\\n", "")
        commands += [line[2:].strip() for line in joined.splitlines() if line.startswith("$ ")]
    return [command for command in commands if not command.startswith(OUTSIDE)]


def test_the_readme_has_something_to_run():
    assert len(console_commands()) >= 8
    assert len(blocks("python")) >= 2


def test_every_command_and_example_runs(shell, tmp_path):
    """In one folder, in order, so that what a command writes is there for the next one."""
    for command in console_commands():
        result = shell(command, timeout=300)
        assert result.returncode == 0, f"$ {command}\n{result.stdout}\n{result.stderr}"
        assert "Traceback" not in result.stderr
    for number, example in enumerate(blocks("python"), 1):
        script = tmp_path / f"example_{number}.py"
        script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{example}", encoding="utf-8")
        result = shell(f"{sys.executable} {script.name}", timeout=300)
        assert result.returncode == 0, f"{example}\n{result.stdout}\n{result.stderr}"


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_targets_named_in_the_readme_exist(target):
    assert f"make {target}" in README
    result = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def options_of(command):
    for child in command.commands.values() if isinstance(command, click.Group) else [command]:
        for parameter in child.params:
            if isinstance(parameter, click.Option):
                yield from parameter.opts + parameter.secondary_opts


def test_options_named_in_the_readme_are_those_there_are():
    """Every option of the training commands is named, and nothing is named that is no option."""
    context = click.Context(main.wordvec)
    commands = {name: main.wordvec.get_command(context, name) for name in main.COMMANDS}
    named = set(re.findall(r"`(--[a-z][a-z-]*)", README))
    known = {option for command in commands.values() for option in options_of(command)}
    assert named - known - {"--help"} == set()
    documented = ("train-embeddings", "classify-text", "tag-text", "language-model", "forecast", "documents")
    wanted = {option for name in documented for option in options_of(commands[name])}
    assert {option for option in wanted if option.startswith("--")} - named - {"--version"} == set()
    assert set(main.COMMANDS) - set(re.findall(r"[a-z-]+", README)) == set()


def test_links_inside_the_repository_lead_somewhere():
    for target in re.findall(r"\]\((?!https?://|#)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
