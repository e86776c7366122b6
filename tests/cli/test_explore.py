"""``wordvec explore``."""

import sys

import pytest
from click.testing import CliRunner

from cli import main


def invoke(*arguments, code=0):
    result = CliRunner().invoke(main.wordvec, ["explore", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return result


def test_a_page_is_written(vectors_file, tmp_path):
    pytest.importorskip("bokeh", reason="bokeh is not installed; pip install 'wordvec-seqclf[explore]'")
    target = tmp_path / "map.html"
    options = ["--method", "pca", "--clusters", 2, "--neighbors", 3]
    assert invoke(vectors_file, "-o", target, *options).stderr == f"{target}: 8 words\n"
    assert '"paris"' in target.read_text(encoding="utf-8")


def test_errors_are_one_line(vectors_file, tmp_path, monkeypatch):
    assert "2<=x<=20000" in invoke(vectors_file, "-o", tmp_path / "a.html", "--top", 1, code=2).stderr
    monkeypatch.setitem(sys.modules, "bokeh", None)
    result = invoke(vectors_file, "-o", tmp_path / "a.html", code=1)
    assert result.stderr == (
        "Error: interactive maps need bokeh, which is not installed: pip install 'wordvec-seqclf[explore]'\n"
    )
    assert not list(tmp_path.iterdir())
