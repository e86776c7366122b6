"""Messages of the libraries name options, not parameters of Python."""

import click
import pytest
from click.testing import CliRunner

from cli import main
from cli.shared.option_names import as_options


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("lower min_count, or raise max_vocabulary", "lower --min-count, or raise max_vocabulary"),
        ("no column 'min_count'; set text_column to one", "no column 'min_count'; set --text-column to one"),
        ("epochs must be at least 1; epochs", "--epochs must be at least 1; epochs"),
        ("epochs must name layers", "--epochs must name layers"),
        ("no column 'a'; set epochs to one of 'b'", "no column 'a'; set --epochs to one of 'b'"),
        ("or omit epochs to replace it", "or omit --epochs to replace it"),
        ("texts must be strings", "texts must be strings"),
        ("new_york is not min_count.txt or a/min_count", "new_york is not min_count.txt or a/min_count"),
    ],
)
def test_parameters_are_named_as_options(message, expected):
    @click.command
    @click.option("--text-column")
    @click.option("-e", "--epochs")
    def command(text_column, epochs):
        click.echo(as_options(message))

    assert CliRunner().invoke(command).stdout == expected + "\n"


def test_no_command_advises_an_option_that_it_lacks(tmp_path, vectors_file):
    latin = tmp_path / "words.txt"
    latin.write_bytes(b"caf\xe9\n")
    advice = f"Error: {latin}: byte 0xe9 at offset 3 is not UTF-8; re-encode the file"
    without = CliRunner().invoke(main.wordvec, ["neighbors", str(vectors_file), "--input", str(latin)])
    assert without.stderr == f"{advice} as UTF-8\n"
    with_option = CliRunner().invoke(main.wordvec, ["summarize", str(latin)])
    assert with_option.stderr == f"{advice}, or pass --encoding NAME or --encoding-errors replace\n"
    latin.write_text("words\n", encoding="utf-16")
    without = CliRunner().invoke(main.wordvec, ["neighbors", str(vectors_file), "--input", str(latin)])
    assert without.stderr.endswith("it looks like UTF-16: re-encode the file as UTF-8\n")


def test_every_kind_of_message(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("label,words\na,b\n")
    train = ["train", str(path), "-o", str(tmp_path / "m.safetensors")]
    failure = CliRunner().invoke(main.classify_text, [*train, "--text-column", "text"])
    assert "no column 'text'; set --text-column to one of 'label', 'words'" in failure.stderr
    usage = CliRunner().invoke(main.classify_text, [*train, "--epochs", "0"])
    assert (usage.exit_code, "--epochs must be at least 1, got 0" in usage.stderr) == (2, True)
