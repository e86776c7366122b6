"""The load test of ``classify-text serve``, for two seconds."""

import os

import pytest

pytest.importorskip("uvicorn", reason="uvicorn is not installed: pip install 'wordvec-seqclf[serve]'")
pytest.importorskip("prometheus_client", reason="not installed: pip install 'wordvec-seqclf[serve]'")

from benchmarks.networks.serving import serve_and_load


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_a_server_answers_all_clients_and_stops_gracefully(model_file):
    found, code = serve_and_load(str(model_file), 2, 8, 2, "--threads", "1")
    assert found.errors == 0
    assert len(found.seconds) > 8
    assert 0 < found.quantile(0.5) <= found.quantile(0.99) < 10
    assert code == 0
