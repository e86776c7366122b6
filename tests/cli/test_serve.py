"""``classify-text serve``: what is refused before the server starts."""

import socket
import sys

import pytest
from click.testing import CliRunner

from cli import main
from cli.classification.serve import _listening


def serve(*arguments, code=1):
    result = CliRunner().invoke(main.classify_text, ["serve", *map(str, arguments)])
    assert result.exit_code == code, (result.output, result.exception)
    return " ".join(result.stderr.split())


def test_a_port_in_use_is_one_line(model_file):
    pytest.importorskip("uvicorn", reason="uvicorn is not installed: pip install 'wordvec-seqclf[serve]'")
    pytest.importorskip("prometheus_client")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = serve(model_file, "--port", port)
    assert error.endswith(f"cannot listen on 127.0.0.1:{port}: address already in use; choose another --host or --port")


def test_answers_do_not_wait_for_acknowledgments():
    with _listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_bad_options_and_models(model_file, vectors_file):
    assert "70000 is not in the range" in serve(model_file, "--port", 70000, code=2)
    assert "'much' is not a positive size with a unit" in serve(model_file, "--max-body", "much", code=2)
    pytest.importorskip("uvicorn")
    pytest.importorskip("prometheus_client")
    assert "holds word vectors, not a model" in serve(vectors_file)


def test_a_missing_library_is_named_with_its_extra(model_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "starlette", None)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    assert "pip install 'wordvec-seqclf[serve]'" in serve(model_file)
