"""``classify-text predict --files``: one file of predictions for each of many files."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import main


def predict(*arguments, code=0):
    result = CliRunner().invoke(main.classify_text, ["predict", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("out").mkdir()
    Path("in/b.txt").write_text("the king of paris\na woman\n\n")
    Path("in/a.txt").write_text("the queen\n")
    Path("in/empty.txt").write_text("")
    return tmp_path


def test_each_file_has_the_predictions_of_its_texts(folder, model_file):
    predict(model_file, "--files", "in", "--output-folder", "out")
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "a.txt.predictions", "b.txt.predictions", "empty.txt.predictions",
    ]  # fmt: skip
    for name in ("a", "b"):
        alone = predict(model_file, "--input", f"in/{name}.txt").output
        assert Path(f"out/{name}.txt.predictions").read_text() == alone
    assert Path("out/empty.txt.predictions").read_text() == ""


def test_workers_give_the_same(folder, model_file):
    pytest.importorskip("distributed")
    predict(model_file, "--files", "in/*.txt", "--output-folder", "out", "--json", "--local-cluster", 1)
    alone = predict(model_file, "--input", "in/b.txt", "--json").output
    assert Path("out/b.txt.predictions").read_text() == alone


def test_files_of_one_name_would_have_one_output(folder):
    Path("in/more").mkdir()
    Path("in/more/a.txt").write_text("another\n")
    message = predict("model", "--files", "in", "--output-folder", "out", code=1).output
    first, other = folder / "in" / "a.txt", folder / "in" / "more" / "a.txt"
    assert f"{first} and {other} would both write {Path('out/a.txt.predictions')}; read one folder" in message
    assert not list(Path("out").iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--files", "in"), "--files needs --output-folder FOLDER"),
        (("a text", "--output-folder", "out"), "--output-folder has no effect without --files"),
        (("a text", "--local-cluster", 1), "--local-cluster has no effect without --files"),
        (("a text", "--files", "in", "--output-folder", "out"), "--files replaces TEXT and --input"),
        (("--files", "nowhere", "--output-folder", "out"), "nowhere: no such file"),
        (("--files", "in", "--output-folder", "gone"), "the directory gone does not exist; create it first"),
        (("--files", "in", "--output-folder", "in"), "whose files are all read (--files); write to another folder"),
    ],
)
def test_bad_input(folder, model_file, arguments, message):
    result = CliRunner().invoke(main.classify_text, ["predict", str(model_file), *map(str, arguments)])
    assert result.exit_code in (1, 2), (result.output, result.exception)
    assert message in " ".join(result.output.split())
