"""``classify-text predict`` of tables: columns are kept, formats follow the extensions, bad records are named."""

import csv
import datetime
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main
from cli.classification.tables import PredictionTable
from corpora import InputError
from corpora.records import Records


def predict(*arguments, code=0, **kwargs):
    result = CliRunner().invoke(main.classify_text, ["predict", *map(str, arguments)], **kwargs)
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in.csv").write_text('id,note,text\n7,"a, b","the king\nof paris"\n8,,a woman\n', encoding="utf-8")
    Path("in.tsv").write_text("text\tid\nthe king\t7\na woman\t8\n")
    Path("in.jsonl").write_text('{"text": "the king", "id": 7, "tags": ["é"]}\n\n{"text": "a woman", "id": 8}\n')
    return tmp_path


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.endswith(".tsv") else ","))


def test_columns_are_kept_and_predictions_follow(folder, model_file):
    predict(model_file, "--input", "in.csv", "-o", "out.csv")
    found = rows("out.csv")
    assert list(found[0]) == ["id", "note", "text", "predicted", "probability"]
    assert [(row["id"], row["note"], row["text"]) for row in found] == [
        ("7", "a, b", "the king\nof paris"), ("8", "", "a woman"),
    ]  # fmt: skip
    alone = [line.split("\t") for line in predict(model_file, "--input", "in.csv").output.splitlines()]
    assert [row["predicted"] for row in found] == [label for label, _ in alone] == ["yes", "no"]
    for row, (_, probability) in zip(found, alone, strict=True):
        assert float(row["probability"]) == pytest.approx(float(probability), abs=1e-4)


def test_one_column_can_be_kept(folder, model_file):
    predict(model_file, "--input", "in.tsv", "-o", "out.tsv", "--id-column", "id")
    assert [list(row) for row in rows("out.tsv")] == [["id", "predicted", "probability"]] * 2
    assert [row["id"] for row in rows("out.tsv")] == ["7", "8"]


def test_objects_keep_their_types(folder, model_file):
    out = predict(model_file, "--input", "in.jsonl", "--format", "jsonl", "-k", 2).output
    first, second = map(json.loads, out.splitlines())
    assert list(first) == ["text", "id", "tags", "predicted", "probability", "probabilities"]
    assert (first["id"], first["tags"], first["predicted"], second["predicted"]) == (7, ["é"], "yes", "no")
    assert list(first["probabilities"]) == ["yes", "no"]
    predict(model_file, "--input", "in.jsonl", "-o", "out.csv", "--min-confidence", 1)
    assert [(row["tags"], row["predicted"]) for row in rows("out.csv")] == [('["é"]', ""), ("", "")]


def written(values, format):
    """What is written of a record with a prediction, without a model."""
    file = io.BytesIO()
    table = PredictionTable(file, format, Records("parquet", list(values), iter(())), None, {"probability": float})
    table.write([("a.jsonl:1", "", values)], [{"probability": 0.123456789}])
    table.close()
    return file.getvalue().decode()


def test_values_of_the_input_are_kept_as_they_are():
    values = {"time": 1700000000.25, "day": datetime.date(2024, 1, 2), "ok": True, "none": None, "tags": [1, "é"]}
    for format, delimiter in (("csv", ","), ("tsv", "\t")):
        (row,) = csv.DictReader(written(values, format).splitlines(), delimiter=delimiter)
        assert row == {
            "time": "1700000000.25", "day": "2024-01-02", "ok": "true", "none": "", "tags": '[1, "é"]',
            "probability": "0.123457",
        }  # fmt: skip
    assert json.loads(written({"x": float("nan"), "day": values["day"]}, "jsonl")) == {
        "x": None, "day": "2024-01-02", "probability": 0.123456789,
    }  # fmt: skip


@pytest.mark.parametrize("cell", ["a\rb", "a\nb", "a\r\nb", 'a"b', "a,b"])
def test_cells_are_quoted_where_necessary(cell):
    content = written({"text": cell}, "csv")
    assert list(csv.reader(io.StringIO(content, newline=""), strict=True))[1] == [cell, "0.123457"]
    assert content.endswith("0.123457\n")


def test_unpaired_surrogates_are_escaped_or_refused():
    assert json.loads(written({"note": "\ud83d"}, "jsonl"))["note"] == "\ud83d"
    with pytest.raises(InputError, match=r"a.jsonl:1: \\ud83d is an unpaired surrogate"):
        written({"note": "\ud83d"}, "csv")
    with pytest.raises(InputError, match=r"the names of the columns: \\ud83d is an unpaired surrogate"):
        written({"\ud83d": "x"}, "csv")


def test_a_table_from_a_pipe(folder, model_file):
    content = Path("in.csv").read_text()
    out = predict(model_file, "-", "--input-format", "csv", "--format", "csv", input=content).output
    predict(model_file, "--input", "in.csv", "-o", "out.csv")
    assert out == Path("out.csv").read_text()


def test_parquet_keeps_the_types_of_its_columns(folder, model_file):
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'wordvec-seqclf[parquet]'")
    from pyarrow import parquet

    table = pa.table({"text": ["the king", "a woman"], "n": pa.array([1, None], pa.int32()), "day": ["x", None]})
    parquet.write_table(table, "in.parquet")
    predict(model_file, "--input", "in.parquet", "-o", "out.parquet")
    found = parquet.read_table("out.parquet")
    assert found.select(["text", "n", "day"]).equals(table)
    assert found["predicted"].to_pylist() == ["yes", "no"]
    predict(model_file, "--input", "in.parquet", "-o", "out.csv", "--id-column", "n")
    assert [row["n"] for row in rows("out.csv")] == ["1", ""]
    predict(model_file, "--input", "in.csv", "-o", "from-csv.parquet")
    assert parquet.read_table("from-csv.parquet")["id"].to_pylist() == ["7", "8"]
    refused = predict(model_file, "-", "--input-format", "parquet", "-o", "x.csv", code=1, input="PAR1").stderr
    assert "standard input: Parquet tables are read from local files" in refused
    Path("bad.parquet").write_bytes(b"PAR1 and no more")
    assert "bad.parquet: not a Parquet file" in predict(
        model_file, "--input", "bad.parquet", "-o", "x.csv", code=1
    ).stderr  # fmt: skip


def test_a_header_alone_gives_a_header(folder, model_file):
    Path("none.csv").write_text("id,text\n")
    predict(model_file, "--input", "none.csv", "-o", "out.csv")
    assert Path("out.csv").read_text() == "id,text,predicted,probability\n"
    Path("none.jsonl").write_text("\n")
    predict(model_file, "--input", "none.jsonl", "-o", "out.jsonl")
    assert Path("out.jsonl").read_text() == ""


@pytest.mark.parametrize(
    ("content", "name", "arguments", "code", "message"),
    [
        ("", "x.csv", ["-o", "out.csv"], 1, "x.csv is empty; expected a header"),
        ("id,text\n7\n", "x.csv", ["-o", "out.csv"], 1, "x.csv:2: expected 2 columns, found 1"),
        (
            "a,b,c\n1,2,3\n",
            "x.csv",
            ["-o", "out.csv"],
            1,
            "no column 'text'; set --text-column to one of 'a', 'b', 'c'",
        ),
        ("id,text\n1,2\n", "x.csv", ["-o", "o.csv", "--id-column", "no"], 1, "set --id-column to one of 'id', 'text'"),
        ("text,text\n1,2\n", "x.csv", ["-o", "out.csv"], 1, "2 columns are named 'text'"),
        ("text,predicted\na,b\n", "x.csv", ["-o", "out.csv"], 1, "has a column 'predicted' already"),
        (
            '{"text": "a"}\n{"text": "b", "n": 1}\n',
            "x.jsonl",
            ["-o", "out.csv"],
            1,
            "x.jsonl:2: the first object has no",
        ),
        *(
            (
                '{"text": "a"}\n{"text": "b", "predicted": "mine"}\n',
                "x.jsonl",
                ["-o", output],
                1,
                "x.jsonl:2: the object has a key 'predicted' already; rename it, or set --id-column to keep another",
            )
            for output in ("out.csv", "out.jsonl")
        ),
        ('{"text": 5}\n', "x.jsonl", ["-o", "out.csv"], 1, "x.jsonl:1: 'text' must be a string, found a number"),
        ('{"text": "a"}\nno\n', "x.jsonl", ["-o", "out.csv"], 1, "x.jsonl:2: not JSON"),
        ("text\na\n", "x.txt", ["-o", "out.csv"], 1, "x.txt: a table needs the extension .csv"),
        ("text\na\n", "x.csv", ["-o", "out.doc"], 2, "--output out.doc must end in .csv"),
        ("text\na\n", "x.csv", ["-o", "out.csv.gz"], 2, "--output out.csv.gz must end in .csv"),
        ("text\na\n", "x.csv", ["-o", "x.csv"], 2, "--output would overwrite x.csv"),
        ("text\na\n", "x.csv", ["--id-column", "text"], 2, "--id-column has no effect without --output or --format"),
        ("text\na\n", "x.csv", ["--json", "-o", "out.csv"], 2, "leave TEXT and --json out"),
    ],
)
def test_bad_tables(folder, model_file, content, name, arguments, code, message):
    Path(name).write_text(content)
    result = predict(model_file, "--input", name, *arguments, code=code)
    assert message in " ".join(result.stderr.split())
    assert not {"out.csv", "out.jsonl", "o.csv", "out.doc"} & {path.name for path in folder.iterdir()}


def test_tables_need_a_file(folder, model_file):
    assert "leave TEXT and --json out" in predict(model_file, "a text", "-o", "out.csv", code=2).stderr
    assert "leave the options of tables out" in predict(
        model_file, "--files", "in.*", "--output-folder", ".", "-o", "out.csv", code=2
    ).stderr  # fmt: skip


def test_labels_of_a_multi_label_model(folder):
    Path("data.tsv").write_text("a,b\tfire and flood\na\tfire\nb\tflood\n" * 6)
    run = CliRunner().invoke(
        main.classify_text,
        [
            "train",
            "data.tsv",
            "--multi-label",
            ",",
            "-o",
            "m.safetensors",
            "--epochs",
            "30",
            "--hidden-size",
            "8",
            "--vector-size",
            "8",
            "-q",
            "--learning-rate",
            "0.05",
        ],
    )
    assert run.exit_code == 0, run.output
    Path("x.csv").write_text("text\nfire and flood\n")
    predict("m.safetensors", "--input", "x.csv", "-o", "out.csv")
    assert rows("out.csv") == [{"text": "fire and flood", "predicted": "a,b"}]
    out = predict("m.safetensors", "--input", "x.csv", "--format", "jsonl").output
    assert json.loads(out)["predicted"] == ["a", "b"]
