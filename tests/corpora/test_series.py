"""Columns of numbers from CSV files."""

import gzip

import pytest

from corpora import InputError, read_series


def write(tmp_path, content, name="s.csv"):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    return path


def test_columns_by_name_and_all_that_hold_numbers(tmp_path):
    path = write(tmp_path, "day,low,high,note\nMon,1,2.5,3\nTue,-4,5e1,x\n\n")
    with pytest.raises(InputError, match=r"s.csv:3: note must be a number, found 'x'; fill gaps first"):
        read_series(path)
    assert read_series(path, ["high", "low"]) == {"high": [2.5, 50.0], "low": [1.0, -4.0]}
    assert read_series(write(tmp_path, '"Month";"Sales"\n"1-01";7\n"1-02";8\n')) == {"Sales": [7.0, 8.0]}


def test_a_compressed_file(tmp_path):
    path = tmp_path / "s.csv.gz"
    path.write_bytes(gzip.compress(b"x\n1\n2\n"))
    assert read_series(path) == {"x": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("", [], "holds no numbers"),
        ("a,b\n", [], "holds no numbers"),
        ("a,b\nx,y\n", [], "s.csv:2: no column holds a number"),
        ("a,b\n1,2\n", ["c"], "s.csv:1: no column is called 'c'; there are 'a', 'b': choose one as column"),
        ("a,a\n1,2\n", [], "s.csv:2: 2 columns are called 'a'"),
        ("a,b\n1,2\n3\n", ["a"], "s.csv:3: expected 2 columns, found 1"),
        ("a\n1\nnan\n", [], "s.csv:3: a must be a number, found 'nan'"),
        ("a\n1\n\n\n?0.2\n", [], r"s.csv:5: a must be a number, found '\?0.2'"),
        ('a\n1\n"2\n', [], "s.csv:3: not CSV: a double quote opens a field"),
    ],
)
def test_what_is_no_series_is_told_with_its_line(tmp_path, content, columns, message):
    with pytest.raises(InputError, match=message):
        read_series(write(tmp_path, content), columns)
