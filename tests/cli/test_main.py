"""The command group: fast help without heavy imports, shared command objects, exit codes."""

import errno
import logging
import os
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from cli import main
from cli.shared.errors import Command
from cli.shared.help_sections import _TITLES
from cli.shared.reporting import duration, short_number, table
from wordvec.kernels.compiling import NOTICE

LOGGERS = ("corpora", "wordvec", "seqclf", "wordvec.kernels.compiling")
HEAVY = ("numba", "numpy", "scipy", "sklearn", "rich", "safetensors")


def all_commands() -> list[tuple[str, ...]]:
    """Return every command and subcommand as its words after ``wordvec``."""
    found: list[tuple[str, ...]] = [()]
    for name in main.COMMANDS:
        command = main.wordvec.get_command(click.Context(main.wordvec), name)
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, inner) for inner in command.commands]
    return found


def test_help_imports_nothing_heavy():
    code = f"""
import sys
from click.testing import CliRunner
from cli.main import wordvec
for words in {all_commands()!r}:
    result = CliRunner().invoke(wordvec, [*words, "--help"])
    assert result.exit_code == 0 and "Usage:" in result.output, (words, result.output)
print(sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.stdout == "[]\n", result.stdout + result.stderr


@pytest.mark.parametrize(
    "script",
    ["wordvec", "train-embeddings", "word-analogy", "classify-text", "tag-text", "language-model", "transduce"],
)
def test_help_is_quick(command_folder, script):
    """In processor time, so that other programs do not matter, and compared with the import of NumPy, so that slow
    processors do not either: where it takes 0.1 s, help takes at most a third of a second."""

    def seconds(command):
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    commands = [command_folder / script, "--help"], [sys.executable, "-c", "import numpy"]
    times = [[seconds(command) for command in commands] for _ in range(3)]
    quickest, known = map(min, zip(*times, strict=True))
    assert quickest < 3.5 * known, times


@pytest.mark.parametrize("words", all_commands(), ids=" ".join)
def test_help_has_examples_first_and_every_option_once(words):
    lines = CliRunner().invoke(main.wordvec, [*words, "--help"]).output.splitlines()
    options = lines[min(lines.index(title) for title in ("Files:", "Data:", "Options:") if title in lines) :]
    command = main.wordvec
    for word in words:
        command = command.get_command(click.Context(command), word)
    for option in command.get_params(click.Context(command)):
        if isinstance(option, click.Option) and not option.hidden:
            name = re.escape(max(option.opts, key=len))
            found = [line for line in options if re.match(rf"  (-\w, )?{name}\b(?!-)", line)]
            assert len(found) == 1, name
    examples = [number for number, line in enumerate(lines) if line.startswith("  Example")]
    assert lines[1 + examples[0]].startswith("    ")
    assert sum(not line for line in lines[: examples[0]]) == 2, "only the first paragraph comes before"


def test_many_options_are_in_sections():
    lines = CliRunner().invoke(main.wordvec, ["train-embeddings", "--help"]).output.splitlines()
    titles = [line for line in lines if re.fullmatch(r"[A-Z][\w -]+:", line)]
    assert titles == [
        "Files:",
        "Data:",
        "Options:",
        "Count-based models:",
        "Training:",
        "Several machines:",
        "General:",
    ]


def test_the_names_in_sections_are_those_of_options():
    context = click.Context(main.wordvec)
    commands = [main.wordvec.get_command(context, name) for name in main.wordvec.list_commands(context)]
    commands += [each for group in commands for each in getattr(group, "commands", {}).values()]
    known = {option.removeprefix("--") for each in commands for parameter in each.params for option in parameter.opts}
    assert set(_TITLES) - known == {"version", "help"} - known


def test_console_scripts_are_the_commands_of_the_group():
    context = click.Context(main.wordvec)
    for name, attribute in [
        ("train-embeddings", "train_embeddings"),
        ("word-analogy", "word_analogy"),
        ("classify-text", "classify_text"),
        ("tag-text", "tag_text"),
        ("language-model", "language_model"),
        ("transduce", "transduce"),
    ]:
        assert getattr(main, attribute) is main.wordvec.get_command(context, name)
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = main.no_such_thing


def test_every_command_has_help_and_short_help():
    output = CliRunner().invoke(main.wordvec, ["--help"]).output
    for name in main.COMMANDS:
        line = next(line for line in output.splitlines() if line.strip().startswith(name + " "))
        assert len(line.split()) > 3, line


def test_unknown_command_is_a_usage_error():
    result = CliRunner().invoke(main.wordvec, ["train"])
    assert result.exit_code == 2
    assert "No such command 'train'" in result.stderr
    mistyped = CliRunner().invoke(main.wordvec, ["similarty", "a", "b"])
    assert "No such command 'similarty'. Did you mean 'similarity'?" in mistyped.stderr
    mistyped = CliRunner().invoke(main.classify_text, ["tain", "data.tsv"])
    assert "Did you mean 'train'?" in mistyped.stderr


def test_version():
    import wordvec

    result = CliRunner().invoke(main.wordvec, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"wordvec-seqclf {wordvec.__version__}\n")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 1, "Error: No space left on device\n"),
        (PermissionError(errno.EACCES, "Permission denied", "a.txt"), 1, "Error: a.txt: Permission denied\n"),
        (MemoryError(), 1, "Error: not enough memory; use less data or smaller sizes\n"),
        (KeyboardInterrupt(), 130, "Interrupted; no output was written.\n"),
        (BrokenPipeError(), 0, ""),
    ],
)
def test_errors_become_one_line(error, code, message):
    @click.command(cls=Command)
    def failing():
        raise error

    result = CliRunner().invoke(failing)
    assert (result.exit_code, result.stderr) == (code, message)


def test_bugs_keep_their_traceback():
    @click.command(cls=Command)
    def failing():
        raise RuntimeError("a bug")

    result = CliRunner().invoke(failing)
    assert isinstance(result.exception, RuntimeError)


def test_shell_completion_knows_the_commands(shell):
    result = shell("COMP_WORDS='wordvec ne' COMP_CWORD=1 _WORDVEC_COMPLETE=bash_complete wordvec")
    assert "neighbors" in result.stdout
    for kind in ("bash", "zsh", "fish"):
        assert "complete" in shell(f"_TRAIN_EMBEDDINGS_COMPLETE={kind}_source train-embeddings").stdout
    for kind, typed in (("zsh", "1"), ("fish", "--vector-s")):
        line = f"COMP_WORDS='train-embeddings --vector-s' COMP_CWORD={typed} _TRAIN_EMBEDDINGS_COMPLETE={kind}_complete"
        assert "--vector-size" in shell(f"{line} train-embeddings").stdout


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (999.7, "1.00 k"),
        (1234, "1.23 k"),
        (99_960, "100 k"),
        (17_005_207, "17.0 M"),
        (2e9, "2.00 G"),
    ],
)
def test_short_number(value, text):
    assert short_number(value) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (59.6, "1:00"), (125, "2:05"), (3725, "1:02:05")])
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_table_of_nothing_is_empty():
    assert table([]) == ""


def test_library_messages_are_printed_and_logging_is_restored():
    @click.command(cls=Command)
    @click.option("--quiet", is_flag=True)
    def logging_command(quiet):
        for name in ("wordvec.encoding.corpus", "corpora", "seqclf.training.loop", "elsewhere"):
            logging.getLogger(name).info("message of %s", name)
        logging.getLogger("wordvec.kernels.compiling").log(NOTICE, "compiling kernels for 10 s now")
        logging.getLogger("wordvec.formats").warning("2 tokens came twice")

    before = [(logger.level, list(logger.handlers), logger.propagate) for logger in map(logging.getLogger, LOGGERS)]
    result = CliRunner().invoke(logging_command)
    assert result.stderr == (
        "message of wordvec.encoding.corpus\nmessage of corpora\n"
        "compiling kernels for 10 s now\nWarning: 2 tokens came twice\n"
    )
    assert CliRunner().invoke(logging_command, ["--quiet"]).output == "compiling kernels for 10 s now\n"
    after = [(logger.level, list(logger.handlers), logger.propagate) for logger in map(logging.getLogger, LOGGERS)]
    assert after == before
