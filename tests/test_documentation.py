"""The README and the pages it leads to: every command and every example, run from top to bottom as a new user would."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli import main

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
INDEX = ROOT / "docs/README.md"
COMMANDS = ROOT / "docs/reference/commands.md"
PAGES = [README, *sorted(ROOT.glob("docs/**/*.md"))]
"""The README first: the pages go on from its session."""

TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTSIDE = ("pip install", "git clone", "cd ", "make ", "eval ")
"""Commands about the installation itself: `make` and `pip` have tests of their own."""


def blocks(page, language):
    return [body for found, body in FENCE.findall(TEXTS[page]) if found == language]


def console_commands(page):
    """The lines after a dollar sign, with those a backslash continues."""
    commands = []
    for body in blocks(page, "console"):
        joined = body.replace("\\\n", "")
        commands += [line[2:].strip() for line in joined.splitlines() if line.startswith("$ ")]
    return [command for command in commands if not command.startswith(OUTSIDE)]


def examples(page):
    """Those to paste; the others, with Python's prompt, are doctests."""
    return [body for body in blocks(page, "python") if not body.startswith(">>> ")]


def test_the_readme_has_something_to_run():
    assert len(console_commands(README)) >= 6
    assert len(examples(README)) >= 2


def test_every_command_and_example_runs(shell, tmp_path):
    """In one folder, in order, so that what a command writes is there for the next one."""
    for page in PAGES:
        for command in console_commands(page):
            result = shell(command, timeout=300)
            assert result.returncode == 0, f"{page.name}: $ {command}\n{result.stdout}\n{result.stderr}"
            assert "Traceback" not in result.stderr
        for example in examples(page):
            script = tmp_path / "example.py"
            script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{example}", encoding="utf-8")
            result = shell(f"{sys.executable} {script.name}", timeout=300)
            assert result.returncode == 0, f"{page.name}: {example}\n{result.stdout}\n{result.stderr}"


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_targets_named_in_the_readme_exist(target):
    assert f"make {target}" in TEXTS[README]
    result = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def options_of(command):
    for child in command.commands.values() if isinstance(command, click.Group) else [command]:
        for parameter in child.params:
            if isinstance(parameter, click.Option):
                yield from parameter.opts + parameter.secondary_opts


def test_options_named_on_the_pages_are_those_there_are():
    """Every option of the training commands is named, and nothing is named that is no option."""
    context = click.Context(main.wordvec)
    commands = {name: main.wordvec.get_command(context, name) for name in main.COMMANDS}
    named = {option for text in TEXTS.values() for option in re.findall(r"`(--[a-z][a-z-]*)", text)}
    known = {option for command in commands.values() for option in options_of(command)}
    assert named - known - {"--help"} == set()
    documented = ("train-embeddings", "classify-text", "tag-text", "language-model", "forecast", "documents")
    wanted = {option for name in documented for option in options_of(commands[name])}
    assert {option for option in wanted if option.startswith("--")} - named - {"--version"} == set()
    assert set(main.COMMANDS) - set(re.findall(r"[a-z-]+", TEXTS[COMMANDS])) == set()


def anchors(text):
    """What a heading is called in a link, as GitHub has it: lower case, without punctuation, dashes for blanks."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page):
    """(file, anchor or "") of every link that stays in the repository."""
    for target in re.findall(r"\]\((?!https?://)([^)]+)\)", FENCE.sub("", TEXTS[page])):
        path, _, anchor = target.partition("#")
        yield (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for path, anchor in links(page):
        assert path.exists(), path
        assert not anchor or anchor in anchors(TEXTS[path]), f"{path}#{anchor}"


def test_the_index_links_to_every_page():
    assert set(PAGES) - {path for path, _ in links(INDEX)} == {INDEX}
    assert INDEX in {path for path, _ in links(README)}
