"""Outputs never replace an input, another output, or a part of the text that the command reads."""

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli import main
from cli.shared.options import File

TEXT = "the old king saw the young queen\n" * 20
LABELS = "yes\tthe old king\nno\tthe young queen\n" * 10
TAGS = "the\tD\nking\tN\n\n" * 10
SERIES = "Month,Sales\n" + "".join(f"m{step},{step % 5}\n" for step in range(40))

COMMANDS = [
    ("text.txt", "train-embeddings text.txt -o text.txt", "--output would overwrite text.txt, an input (CORPUS)"),
    ("text.txt", "train-embeddings text.txt -o ./folder/../text.txt", "--output would overwrite"),
    ("text.txt", "train-embeddings text.txt -o link.txt", "--output would overwrite link.txt"),
    ("text.txt", "train-embeddings text.txt -o hard.vec", "--output would overwrite hard.vec"),
    ("text.txt", "train-embeddings text.txt -o v.vec --summary text.txt", "--summary would overwrite text.txt"),
    ("text.txt", "train-embeddings text.txt -o v.vec --save-vocabulary text.txt", "--save-vocabulary would overwrite"),
    ("tags.tsv", "train-embeddings text.txt -o v.vec --summary tags.tsv --evaluate-on tags.tsv", "(--evaluate-on)"),
    ("text.txt", "train-embeddings text.txt -o v.vec --save-vocabulary ./v.vec", "name the same file, ./v.vec"),
    ("text.txt", "train-embeddings v.vec.checkpoint -o v.vec --resume", "checkpoint would overwrite v.vec.checkpoint"),
    ("text.txt", "train-embeddings folder -o folder/v.vec", "whose files are all read (CORPUS)"),
    ("text.txt", "train-embeddings folder -o folder/inner/v.vec", "whose files are all read (CORPUS)"),
    ("text.txt", "train-embeddings tex[a-t].txt folder/*.vec -o folder/v.vec", "folder/v.vec matches folder/*.vec"),
    ("text.txt", "train-embeddings tex[a-t].txt -o text.txt", "--output would overwrite text.txt"),
    ("text.txt", "wordvec documents count text.txt -o text.txt", "--output would overwrite text.txt"),
    ("text.txt", "wordvec documents tfidf text.txt -o m.npz --save-vocabulary m.npz", "name the same file, m.npz"),
    ("text.txt", "wordvec convert text.txt text.txt", "TARGET would overwrite text.txt, an input (SOURCE)"),
    ("text.txt", "wordvec inspect text.txt word -o text.txt", "--output would overwrite text.txt, an input (MODEL)"),
    ("labels.tsv", "classify-text train labels.tsv -o labels.tsv", "--output would overwrite labels.tsv"),
    ("text.txt", "classify-text train labels.tsv --dev text.txt -o text.txt", "an input (--dev)"),
    ("text.txt", "classify-text train labels.tsv --vectors text.txt -o text.txt", "an input (--vectors)"),
    ("labels.tsv", "classify-text predict m --input labels.tsv -o labels.tsv", "--output would overwrite labels.tsv"),
    ("text.txt", "classify-text export text.txt -o text.txt", "--output would overwrite text.txt, an input (MODEL)"),
    ("tags.tsv", "tag-text train tags.tsv -o tags.tsv", "--output would overwrite tags.tsv"),
    ("text.txt", "language-model train text.txt -o text.txt", "--output would overwrite text.txt"),
    ("text.txt", "language-model train labels.tsv --test text.txt -o text.txt", "an input (--test)"),
    ("series.csv", "forecast train series.csv -o series.csv", "--output would overwrite series.csv"),
]


def run(line):
    name, *arguments = line.split()
    return CliRunner().invoke(main.wordvec.get_command(click.Context(main.wordvec), name), arguments) if (
        name != "wordvec"
    ) else CliRunner().invoke(main.wordvec, arguments)  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in [("text.txt", TEXT), ("labels.tsv", LABELS), ("tags.tsv", TAGS), ("series.csv", SERIES)]:
        Path(name).write_text(content)
    Path("v.vec.checkpoint").write_text(TEXT)
    Path("folder/inner").mkdir(parents=True)
    Path("folder/a.txt").write_text(TEXT)
    Path("link.txt").symlink_to("text.txt")
    os.link("text.txt", "hard.vec")
    return tmp_path


@pytest.mark.parametrize(("kept", "line", "message"), COMMANDS)
def test_an_output_that_replaces_an_input_is_a_usage_error(folder, kept, line, message):
    before, files = Path(kept).read_bytes(), sorted(folder.rglob("*"))
    result = run(line)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert Path(kept).read_bytes() == before
    assert sorted(folder.rglob("*")) == files


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_standard_input_from_the_output_file_is_a_usage_error(shell, tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    result = shell("train-embeddings - -o text.txt < text.txt")
    assert (result.returncode, result.stderr.splitlines()[-1]) == (
        2,
        "Error: --output would overwrite text.txt, an input (CORPUS); give another file",
    )
    assert (tmp_path / "text.txt").read_text() == TEXT


@pytest.mark.parametrize(
    "line",
    [
        "train-embeddings folder -o v.vec",
        "train-embeddings folder -o folder/.v.vec",
        "train-embeddings folder/*.txt -o folder/v.vec --summary folder/v.json",
        "train-embeddings text.txt -o v.vec --summary " + os.devnull + " --save-vocabulary " + os.devnull,
    ],
)
def test_other_outputs_are_written(folder, line):
    result = run(line + " --vector-size 4 --epochs 1 --min-count 1 --no-cache")
    assert result.exit_code == 0, result.output


def test_every_file_of_a_command_that_writes_is_declared():
    """A click.Path or a plain string would escape the check."""
    names = {"output", "target", "summary", "words_file", "corpus", "data", "dev", "test", "vectors", "model", "source"}
    for name in main.COMMANDS:
        command = main.wordvec.get_command(click.Context(main.wordvec), name)
        for inner in command.commands.values() if isinstance(command, click.Group) else [command]:
            for parameter in inner.params:
                assert not isinstance(parameter.type, click.Path), (name, parameter.name)
                if parameter.name in names and not isinstance(parameter.type, click.IntRange | click.Choice):
                    assert isinstance(parameter.type, File), (name, parameter.name)


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no /dev/stdout")
def test_standard_output_is_a_target(shell, tmp_path, vectors_file):
    (tmp_path / "log").write_text("KEEP\n")
    convert = f"wordvec convert {vectors_file} out.txt"
    result = shell(f"ln -s /dev/stdout out.txt; {convert} >> log; {convert} | cat > piped; {convert} | head -c 1")
    assert (result.returncode, result.stdout) == (0, "8")
    text = (tmp_path / "piped").read_text()
    assert text.startswith("8 4\nking ")
    assert (tmp_path / "log").read_text() == "KEEP\n" + text
    result = shell(f"wordvec convert {vectors_file} - --format text")
    assert (result.returncode, "- is no output; write /dev/stdout" in result.stderr) == (2, True)
    assert not (tmp_path / "-").exists()
