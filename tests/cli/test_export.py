"""``classify-text export``: an ONNX file, or the reason why not."""

import sys

import pytest
from click.testing import CliRunner

from cli import main


def export(*arguments, code=0):
    result = CliRunner().invoke(main.classify_text, ["export", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return " ".join(result.stderr.split())


def test_a_model_is_written(model_file, tmp_path):
    pytest.importorskip("onnx", reason="onnx is not installed: pip install 'wordvec-seqclf[onnx]'")
    path = tmp_path / "m.onnx"
    assert export(model_file, "-o", path).startswith(f"{path}: ")
    assert b"wordvec-seqclf" in path.read_bytes()
    assert export(model_file, "-o", tmp_path / "n.onnx", "-q") == ""


def test_bad_outputs(model_file, vectors_file, tmp_path):
    assert "--output m.pb must end in .onnx" in export(model_file, "-o", "m.pb", code=2)
    pytest.importorskip("onnx")
    assert "holds word vectors, not a model" in export(vectors_file, "-o", tmp_path / "m.onnx", code=1)
    assert "the directory nowhere does not exist" in export(model_file, "-o", "nowhere/m.onnx", code=1)


def test_a_missing_library_is_named_with_its_extra(model_file, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert "pip install 'wordvec-seqclf[onnx]'" in export(model_file, "-o", tmp_path / "m.onnx", code=1)
    assert not list(tmp_path.iterdir())
