"""``wordvec plot``."""

import sys

import pytest
from click.testing import CliRunner

from cli import main


def invoke(*arguments, code=0):
    result = CliRunner().invoke(main.wordvec, ["plot", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["king", "paris", "--neighbors", 2], "2 words and their neighbors"),
        (["--top", 5, "--clusters", 2, "--method", "tsne"], "5 words"),
        (["man", "king", "woman", "queen", "--analogies"], "4 words"),
        (["man", "king", "--heatmap"], "2 words"),
        ([], "8 words"),
    ],
)
def test_pictures_are_written(vectors_file, tmp_path, arguments, message):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed; pip install -e '.[plotting]'")
    target = tmp_path / "map.svg"
    result = invoke(vectors_file, *arguments, "-o", target)
    assert result.stderr == f"{target}: {message}\n"
    content = target.read_text(encoding="utf-8")
    assert ">king<" in content
    assert invoke(vectors_file, *arguments, "-o", target, "--quiet").output == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["king", "queen", "-o", "map.jpg"], 2, "map.jpg must end in .png, .svg, .pdf"),
        (["king", "-o", "map.png", "--analogies"], 2, "--analogies needs an even number of WORDS"),
        (["-o", "map.png", "--heatmap"], 2, "--heatmap needs WORDS"),
        (["king", "queen", "-o", "map.png", "--heatmap", "--analogies"], 2, "give --analogies or --heatmap, not both"),
        (["king", "queen", "-o", "map.png", "--heatmap", "--seed", "2"], 2, "--seed has no effect with --heatmap"),
        (["king", "queen", "-o", "map.png", "--top", "2"], 2, "--top has no effect with WORDS"),
        (["king", "qeen", "-o", "map.png"], 1, "did you mean"),
        (["king", "-o", "map.png"], 1, "a map needs 2 to 1,000 words, got 1"),
    ],
)
def test_errors_are_one_line_and_write_nothing(vectors_file, tmp_path, monkeypatch, arguments, code, message):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed; pip install -e '.[plotting]'")
    monkeypatch.chdir(tmp_path)
    assert message in invoke(vectors_file, *arguments, code=code).stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_a_missing_library_is_reported_with_the_remedy(vectors_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = invoke(vectors_file, "king", "queen", "-o", tmp_path / "map.png", code=2)
    assert "pip install 'wordvec-seqclf[plotting]'" in result.stderr


def test_training_curves_and_scores(vectors_file, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed; pip install -e '.[plotting]'")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus.txt").write_text("the old king saw the young queen\n" * 50)
    (tmp_path / "pairs.tsv").write_text("king\tqueen\t9\nold\tyoung\t5\nthe\tsaw\t2\n")
    tiny = ["--vector-size", "8", "--epochs", "2", "--min-count", "1", "--evaluate-on", "pairs.tsv", "--quiet"]
    runner = CliRunner()
    done = runner.invoke(main.train_embeddings, ["corpus.txt", "-o", "v.bin", "--plot", "loss.svg", *tiny])
    assert done.exit_code == 0, done.output
    done = runner.invoke(
        main.wordvec,
        ["evaluate", "v.bin", str(vectors_file), "--similarity", "pairs.tsv", "--intervals", "--plot", "scores.svg"],
    )
    assert done.exit_code == 0, done.output
    assert "epoch" in (tmp_path / "loss.svg").read_text()
    assert ">pairs<" in (tmp_path / "scores.svg").read_text()
    done = runner.invoke(main.train_embeddings, ["corpus.txt", "-o", "v.bin", "--plot", "loss.svg", "--model", "svd"])
    assert (done.exit_code, "--plot draws the loss of each epoch" in done.stderr) == (2, True)
    (tmp_path / "questions.txt").write_text(": first\nold king young queen\n: second\nking old queen young\n")
    for command in (
        ["word-analogy", "v.bin", "--questions", "questions.txt", "--plot", "sections.svg"],
        ["evaluate", "v.bin", "--analogies", "questions.txt", "--plot", "sections.svg"],
        ["gradient-flow", "--length", "5", "-o", "sections.svg"],
    ):
        runner.invoke(main.wordvec, command)  # compiles kernels, which may be logged
        done = runner.invoke(main.wordvec, command)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        drawn = (tmp_path / "sections.svg").read_text()
        assert (">second<" in drawn) != (">lstm<" in drawn) == (command[0] == "gradient-flow")
    done = runner.invoke(main.wordvec, ["word-analogy", "v.bin", "king", "--plot", "sections.svg"])
    assert (done.exit_code, "--plot has no effect without --questions FILE" in done.stderr) == (2, True)
