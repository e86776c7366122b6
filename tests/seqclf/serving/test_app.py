"""The HTTP application: answers, errors, limits, metrics, concurrent requests."""

import asyncio
import json

import numpy as np
import pytest

pytest.importorskip("httpx", reason="httpx is not installed: pip install httpx")
pytest.importorskip("starlette", reason="Starlette is not installed: pip install 'wordvec-seqclf[serve]'")
pytest.importorskip("uvicorn", reason="uvicorn is not installed: pip install 'wordvec-seqclf[serve]'")
pytest.importorskip("prometheus_client", reason="not installed: pip install 'wordvec-seqclf[serve]'")

import httpx

from seqclf import ClassifierSettings, train_classifier, train_multi_label
from seqclf.serving.app import application
from seqclf.serving.batching import Batcher, Overloaded
from seqclf.serving.description import docs_page, openapi

TEXTS = ["fire in the hills", "lovely warm evening", "the river floods", "tea in the sun"]


@pytest.fixture(scope="module")
def model():
    settings = ClassifierSettings(model="linear", validation_fraction=0)
    return train_classifier(TEXTS * 3, ["alarm", "calm"] * 6, settings=settings, threads=1)


def asked(model, *requests, **limits):
    """Send requests one after the other, each a method, a path and a body, and return the answers."""

    async def run():
        app = application(model, card={"title": "a card"}, threads=1, **limits)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://x") as client,
        ):
            return [
                await client.request(method, path, content=body if isinstance(body, bytes) else json.dumps(body))
                for method, path, body in requests
            ]

    return asyncio.run(run())


def test_single_and_batched_requests_have_the_model_s_predictions(model):
    expected = model.predict_proba(TEXTS)
    single, batch, best, least, none = asked(
        model,
        ("POST", "/predict", {"text": TEXTS[0]}),
        ("POST", "/predict", {"texts": TEXTS}),
        ("POST", "/predict", {"texts": TEXTS[:1], "top_k": 1}),
        ("POST", "/predict", {"text": TEXTS[1], "min_confidence": 1.0}),
        ("POST", "/predict", {"texts": []}),
    )
    rows = [[row["probabilities"][label] for label in model.labels] for row in batch.json()["predictions"]]
    np.testing.assert_array_equal(np.float32(rows), expected)
    assert single.json() == batch.json()["predictions"][0]
    assert [row["label"] for row in batch.json()["predictions"]] == model.predict(TEXTS).tolist()
    assert list(best.json()["predictions"][0]["probabilities"]) == [single.json()["label"]]
    assert (least.json()["label"], least.json()["probability"] > 0.5) == (None, True)
    assert none.json() == {"predictions": []}


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"no json", 400, "the body must be JSON"),
        (b'"\xff"', 400, "the body must be JSON"),
        ([], 400, 'an object with "text"'),
        ({"text": "a", "texts": []}, 400, 'an object with "text"'),
        ({"text": 3}, 400, "text must be a string"),
        ({"texts": "abc"}, 400, "texts must be a list of strings"),
        ({"texts": ["a", None]}, 400, "texts must be a list of strings"),
        ({"text": "a", "topk": 1}, 400, "unknown key 'topk'; the keys are text, texts, top_k, min_confidence"),
        ({"text": "a", "top_k": 0}, 400, "top_k must be at least 1, got 0"),
        ({"text": "a", "min_confidence": 2}, 400, "min_confidence must be at least 0 and at most 1, got 2"),
        (b'{"text": "\\ud800"}', 400, "unpaired surrogate"),
        ({"texts": ["a"] * 6}, 413, "at most 5 texts, got 6"),
        ({"text": "a" * 300}, 413, "at most 200 bytes"),
    ],
)
def test_bad_requests(model, body, status, message):
    (answer,) = asked(model, ("POST", "/predict", body), max_bytes=200, max_texts=5)
    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_a_confidence_needs_one_label_per_text():
    settings = ClassifierSettings(hidden_size=4, vector_size=4, epochs=1, validation_fraction=0)
    several = train_multi_label(TEXTS, [["a"], ["b"], ["a", "b"], []], settings=settings, threads=1)
    refused, answer = asked(
        several,
        ("POST", "/predict", {"text": "fire", "min_confidence": 0.9}),
        ("POST", "/predict", {"text": "fire"}),
    )
    assert (refused.status_code, answer.status_code) == (400, 200)
    assert "min_confidence needs a model of one label per text" in refused.json()["error"]


def test_other_paths_and_methods_have_errors_in_json(model):
    method, missing, post = asked(model, ("GET", "/predict", b""), ("GET", "/nothing", b""), ("POST", "/health", b""))
    assert (method.status_code, method.json()) == (405, {"error": "/predict takes POST, got GET"})
    assert method.headers["allow"] == "POST"
    assert (missing.status_code, missing.json()["error"][:33]) == (404, "no such path; the paths are /pred")
    assert post.json() == {"error": "/health takes GET, HEAD, got POST"}


def test_a_body_without_a_length_is_cut(model):
    async def run():
        app = application(model, max_bytes=100)

        async def endless():
            while True:
                yield b" " * 64

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://x") as client:
            return await client.post("/predict", content=endless())

    assert asyncio.run(asyncio.wait_for(run(), 10)).status_code == 413


def test_a_client_that_leaves_is_counted(model):
    async def run():
        app, sent = application(model), []
        messages = [{"type": "http.request", "body": b'{"te', "more_body": True}, {"type": "http.disconnect"}]

        async def receive():
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [], "query_string": b""}
        await app(scope, receive, send)
        return sent[0]["status"]

    assert asyncio.run(run()) == 499


def test_health_model_and_description(model):
    health, card, document, page, wrong, lost = asked(
        model, *(("GET", path, b"") for path in ("/health", "/model", "/openapi.json", "/docs", "/predict", "/nowhere"))
    )
    assert health.json() == {"status": "ok"}
    assert card.json() == {"title": "a card"}
    assert set(document.json()["paths"]) == {"/predict", "/health", "/model", "/metrics", "/openapi.json"}
    assert document.json()["components"]["schemas"]["Prediction"]["properties"]["label"]["enum"] == [
        "alarm",
        "calm",
        None,
    ]
    assert page.text.startswith("<!DOCTYPE html>")
    assert (wrong.status_code, lost.status_code) == (405, 404)


def test_the_page_needs_no_network():
    page = docs_page(openapi(["<a>"], 100, 10))
    assert "http://" not in page
    assert "https://" not in page
    assert "<a>" not in page


def test_metrics_count_requests_texts_and_labels(model):
    *_, answer = asked(
        model, ("POST", "/predict", {"texts": TEXTS}), ("POST", "/predict", b"x"),
        ("POST", "/predict", {"text": "fire", "min_confidence": 1}), ("GET", "/metrics", b""),
    )  # fmt: skip
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert lines['classifier_requests_total{status="200"}'] == "2.0"
    assert lines['classifier_requests_total{status="400"}'] == "1.0"
    assert lines["classifier_texts_total"] == "5.0"
    assert lines['classifier_labels_total{label="alarm"}'] == "2.0"
    assert lines['classifier_labels_total{label=""}'] == "1.0"
    assert lines["classifier_request_seconds_count"] == "3.0"
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_concurrent_requests_share_a_prediction_and_a_full_queue_refuses(model):
    sizes = []

    class Counting:
        labels = model.labels
        ranking = staticmethod(model.ranking)

        def predict_proba(self, texts, threads):
            sizes.append(len(texts))
            return model.predict_proba(texts, threads=threads)

    async def run():
        batcher = Batcher(Counting(), 8, 1)
        waiting = [asyncio.ensure_future(batcher.answer(TEXTS[row : row + 2])) for row in (0, 1, 2, 0)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await batcher.answer(["one too many"])
        waiting[3].cancel()  # its client has left
        work = asyncio.ensure_future(batcher.run())
        found = await asyncio.gather(*waiting[:3])
        work.cancel()
        return [[answer.chosen for answer in each] for each in found]

    found = asyncio.run(run())
    assert sizes == [8]
    chosen = [[label] for label in model.predict(TEXTS)]
    assert found == [chosen[0:2], chosen[1:3], chosen[2:4]]


def test_an_error_of_a_prediction_reaches_its_requests_only():
    class Failing:
        labels = ("a", "b")

        def predict_proba(self, texts, threads):
            raise RuntimeError("no memory")

    async def run():
        batcher = Batcher(Failing(), 8, 1)
        work = asyncio.ensure_future(batcher.run())
        for _ in range(2):
            with pytest.raises(RuntimeError, match="no memory"):
                await batcher.answer(["a text"])
        work.cancel()

    asyncio.run(run())
