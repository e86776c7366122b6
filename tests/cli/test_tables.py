"""Tables in a narrow terminal: no line is longer, every number is there, and each row has its name."""

import re

import pytest
from click.testing import CliRunner

from cli import main
from cli.shared.reporting import table

ROWS = [["this model", "91.2 %", "0.905"], ["  of always predicting the most frequent label", "50.0 %", "0.333"]]
HEADER = ["on a/long/path/to/the-test-data.tsv", "accuracy", "macro-F1"]


@pytest.mark.parametrize("width", [20, 30, 40, 60, 200])
def test_no_line_is_wider(width):
    found = table(ROWS, HEADER, width)
    assert max(map(len, found.splitlines())) <= width
    for number in ("91.2 %", "0.905", "50.0 %", "0.333"):
        assert found.count(number) == 1
    blocks = found.split("\n\n")
    assert all("this model" in " ".join(block.split()) for block in blocks)
    assert len(blocks) == (2 if width <= 30 else 1)


def test_a_column_alone_stays_whole():
    assert table([["a" * 50]], width=40).replace("\n", "") == "a" * 50
    assert table([["a", "b" * 50]], width=40).endswith("b" * 50)


def test_tables_follow_the_terminal(model_file, vectors_file, tmp_path):
    data = tmp_path / "a-rather-long-name-of-a-file.tsv"
    data.write_text("yes\tthe king of paris\nno\tthe queen of london\n" * 5)
    for command, arguments in [
        (main.classify_text, ["evaluate", model_file, data]),
        (main.wordvec, ["inspect", model_file, "the king of paris"]),
        (main.wordvec, ["neighbors", vectors_file, "king"]),
    ]:
        arguments = list(map(str, arguments))
        narrow, wide = (CliRunner(env={"COLUMNS": size}).invoke(command, arguments) for size in ("40", None))
        assert (narrow.exit_code, wide.exit_code) == (0, 0), narrow.output
        assert max(map(len, narrow.stdout.splitlines())) <= 40
        numbers = [sorted({*re.findall(r"\d\.\d+", result.stdout)}) for result in (narrow, wide)]
        assert numbers[0] == numbers[1]
