"""The HTTP application of a classifier; needs Starlette and prometheus-client, the extra ``serve``."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from seqclf.serving.batching import Batcher, Overloaded
from seqclf.serving.description import docs_page, openapi
from seqclf.serving.requests import PredictionRequest
from wordvec import InputError
from wordvec.system.optional import optional_module

if TYPE_CHECKING:
    from seqclf.classification.fasttext import FastTextClassifier
    from seqclf.classification.model import ClassifierModel

_MOST_WAITING = 20_000
_UNKNOWN = "no such path; the paths are /predict, /health, /model, /metrics, /openapi.json and /docs"


def check_libraries() -> None:
    """Check that the libraries of the extra ``serve`` are installed.

    Raises:
        InputError: one is not; the message has the command that installs them.
    """
    for name, library in (
        ("starlette", "Starlette"),
        ("uvicorn", "uvicorn"),
        ("prometheus_client", "prometheus-client"),
    ):
        optional_module(name, f"serving needs {library}", "serve")


def application(
    model: "ClassifierModel | FastTextClassifier",
    *,
    card: Mapping[str, Any] | None = None,
    max_bytes: int = 1 << 20,
    max_texts: int = 1000,
    threads: int | None = None,
) -> Any:
    """Return an ASGI application that predicts with a model.

    Paths: ``POST /predict``, ``GET /health``, ``/model``, ``/metrics``, ``/openapi.json`` and ``/docs``.

    Args:
        model: a classifier of any kind.
        card: the answer of ``/model``.
        max_bytes: of a body. max_texts: of a request.
        threads: see ``predict_proba``.

    Raises:
        InputError: a library is not installed.
    """
    check_libraries()
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect, Request
    from starlette.responses import HTMLResponse, JSONResponse, Response
    from starlette.routing import Route

    batcher, metrics = Batcher(model, _MOST_WAITING, threads), _Metrics()
    document = openapi([str(label) for label in model.labels], max_bytes, max_texts)

    async def predict(request: Request) -> Response:
        started = time.perf_counter()
        status, content = await _predicted(request)
        metrics.requests.labels(status).inc()
        metrics.seconds.observe(time.perf_counter() - started)
        return JSONResponse(content, status)

    async def _predicted(request: Request) -> tuple[int, dict[str, Any]]:
        try:
            body = await _body(request, max_bytes)
        except ClientDisconnect:  # nobody reads the answer; the status is for the metrics
            return 499, {"error": "the client closed the connection"}
        if body is None:
            return 413, {"error": f"the body must have at most {max_bytes:,} bytes"}
        try:
            asked = PredictionRequest.parse(body)
        except InputError as error:
            return 400, {"error": str(error)}
        if asked.min_confidence is not None and hasattr(model, "thresholds"):
            return 400, {"error": "min_confidence needs a model of one label per text; this one has several"}
        if len(asked.texts) > max_texts:
            return 413, {"error": f"a request must have at most {max_texts:,} texts, got {len(asked.texts):,}"}
        try:
            answered = await batcher.answer(asked.texts)
        except Overloaded:
            return 503, {"error": "too many texts wait; try again later"}
        answered = [answer.abstaining(asked.min_confidence) for answer in answered]
        metrics.texts.inc(len(answered))
        for answer in answered:
            for label in answer.chosen or [""]:
                metrics.labels.labels(label).inc()
        found = [answer.as_dict(asked.top_k) for answer in answered]
        return 200, found[0] if asked.single else {"predictions": found}

    async def measured(request: Request) -> Response:
        metrics.waiting.set(batcher.waiting)
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")

    async def unrouted(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        rule = f"{request.url.path} takes {allowed}, got {request.method}" if allowed else _UNKNOWN
        return JSONResponse({"error": rule}, error.status_code, error.headers)

    def fixed(response: Response) -> Any:
        async def answer(request: Request) -> Response:
            return response

        return answer

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        work = asyncio.create_task(batcher.run())
        yield
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    return Starlette(
        routes=[
            Route("/predict", predict, methods=["POST"]),
            Route("/health", fixed(JSONResponse({"status": "ok"}))),
            Route("/model", fixed(JSONResponse(dict(card or {})))),
            Route("/metrics", measured),
            Route("/openapi.json", fixed(JSONResponse(document))),
            Route("/docs", fixed(HTMLResponse(docs_page(document)))),
        ],
        exception_handlers={404: unrouted, 405: unrouted},
        lifespan=lifespan,
    )


async def _body(request: Any, most: int) -> bytes | None:
    """Return the body of a request, or None if it is longer than ``most`` bytes, without keeping more."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


class _Metrics:
    """The metrics of a server, in a registry of their own."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        own = CollectorRegistry()
        self._registry = own
        self.requests = Counter("classifier_requests", "Requests for predictions by status", ["status"], registry=own)
        self.texts = Counter("classifier_texts", "Texts predicted", registry=own)
        self.labels = Counter("classifier_labels", "Labels predicted; none is empty", ["label"], registry=own)
        self.waiting = Gauge("classifier_texts_waiting", "Texts that wait for a prediction", registry=own)
        self.seconds = Histogram(
            "classifier_request_seconds", "Duration of requests for predictions", registry=own,
            buckets=[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        )  # fmt: skip

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self._registry)
