"""Records of tables with all of their columns."""

import pytest

from corpora import InputError
from corpora.records import open_records, table_format


def test_formats_by_extension():
    names = ["x.csv", "x.TSV", "x.ndjson", "x.parquet", "x.csv.gz", "x.txt", "x"]
    assert [table_format(name) for name in names] == ["csv", "tsv", "jsonl", "parquet", "csv", None, None]


def test_records_have_location_text_and_columns(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('id;text\n1;"two\nlines"\n\n2;one\n')
    records = open_records(path)
    assert records.columns == ["id", "text"]
    assert list(records.rows) == [
        (f"{path}:2", "two\nlines", {"id": "1", "text": "two\nlines"}),
        (f"{path}:5", "one", {"id": "2", "text": "one"}),
    ]


def test_the_text_may_have_another_name(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("label\tmessage\nyes\ta\n")
    assert [text for _, text, _ in open_records(path).rows] == ["a"]
    assert [text for _, text, _ in open_records(path, text_column="label").rows] == ["yes"]
    with pytest.raises(InputError, match="set text_column to one of 'label', 'message'"):
        open_records(path, text_column="text")


def test_columns_of_objects_are_those_of_the_first(tmp_path):
    path = tmp_path / "x.data"
    path.write_text('{"text": "a", "n": 1}\n{"text": "b", "m": 2}\n')
    records = open_records(path, format="jsonl")
    assert records.columns == ["text", "n"]
    assert [record for _, _, record in records.rows] == [{"text": "a", "n": 1}, {"text": "b", "m": 2}]
    with pytest.raises(InputError, match="a table needs the extension"):
        open_records(path)


def test_reading_is_lazy(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("text\na\nb,c\n")
    rows = open_records(path).rows
    assert next(rows)[1] == "a"
    with pytest.raises(InputError, match=r"x.csv:3: expected 1 column, found 2; put values that contain ','"):
        next(rows)
