"""Description of the HTTP interface: an OpenAPI document, and a page that shows it and tries it."""

import json
from html import escape
from typing import Any

from wordvec import __version__

_ERRORS = {
    "400": "the body is not a request; the message states the rule",
    "413": "the body, or the number of texts, is above the limit",
    "503": "too many texts wait; try again later",
}


def openapi(labels: list[str], most_bytes: int, most_texts: int) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of a server.

    Args:
        labels: of the model.
        most_bytes, most_texts: the limits of a request.
    """
    text = {"type": "string", "example": "Flood warning for the valley"}
    request = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "text": text,
            "texts": {"type": "array", "items": text, "maxItems": most_texts},
            "top_k": {"type": "integer", "minimum": 1, "description": "labels with probabilities; default: all"},
            "min_confidence": {
                "type": "number", "minimum": 0, "maximum": 1,
                "description": "the least probability of a predicted label; below, the label is null. Not for "
                "multi-label models",
            },
        },
        "oneOf": [{"required": ["text"]}, {"required": ["texts"]}],
    }  # fmt: skip
    prediction = {
        "type": "object",
        "description": "label and probability; of a multi-label model, labels",
        "properties": {
            "label": {"type": ["string", "null"], "enum": [*labels, None]},
            "labels": {"type": "array", "items": {"type": "string", "enum": labels}},
            "probability": {"type": "number"},
            "probabilities": {"type": "object", "additionalProperties": {"type": "number"}},
        },
    }
    several = {"type": "object", "properties": {"predictions": {"type": "array", "items": prediction}}}
    schemas = {"Request": request, "Prediction": prediction, "Predictions": several}
    found = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Prediction", "Predictions")]}
    asked = {"required": True, "content": _json({"$ref": "#/components/schemas/Request"})}
    answers = {"200": {"description": "one prediction for text, a list for texts", "content": _json(found)}}
    answers |= {status: {"description": meaning} for status, meaning in _ERRORS.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Text classifier",
            "version": __version__,
            "description": f"Bodies have at most {most_bytes:,} bytes and {most_texts:,} texts.",
        },
        "paths": {
            "/predict": {"post": {"summary": "Predict labels of texts", "requestBody": asked, "responses": answers}},
            "/health": {"get": _get("Whether the server answers", "application/json")},
            "/model": {"get": _get("The model card", "application/json")},
            "/metrics": {"get": _get("Metrics in Prometheus' format", "text/plain")},
            "/openapi.json": {"get": _get("This document", "application/json")},
        },
        "components": {"schemas": schemas},
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _get(summary: str, kind: str) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": summary, "content": {kind: {}}}}}


def docs_page(document: dict[str, Any]) -> str:
    """Return a self-contained page with the paths of an OpenAPI document and a form for ``/predict``."""
    rows = "".join(
        f"<tr><td><code>{method.upper()} {escape(path)}</code></td><td>{escape(each['summary'])}</td></tr>"
        for path, methods in document["paths"].items()
        for method, each in methods.items()
    )
    schema = escape(json.dumps(document["components"]["schemas"]["Request"], indent=2))
    return _PAGE.format(
        title=escape(document["info"]["title"]), about=escape(document["info"]["description"]), rows=rows, schema=schema
    )


_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 0 auto; padding: 1rem }}
textarea {{ width: 100%; box-sizing: border-box; font: inherit }} pre {{ overflow-x: auto; font-size: .85rem }}
td {{ padding: .2rem 1rem .2rem 0; vertical-align: top }} h2 {{ font-size: 1.1rem; margin-top: 2rem }}
</style></head><body>
<h1>{title}</h1><p>{about}</p>
<table>{rows}</table>
<p><a href="openapi.json">OpenAPI document</a></p>
<h2>Try it</h2>
<form id="form"><textarea id="text" rows="4" aria-label="text">Flood warning for the valley</textarea>
<p><button>Predict</button></p></form><pre id="answer"></pre>
<h2>Body of a request to /predict</h2><pre>{schema}</pre>
<script>
document.getElementById("form").addEventListener("submit", async event => {{
  event.preventDefault();
  const body = JSON.stringify({{text: document.getElementById("text").value}});
  const answer = await fetch("predict", {{method: "POST", headers: {{"Content-Type": "application/json"}}, body}});
  document.getElementById("answer").textContent = JSON.stringify(await answer.json(), null, 2);
}});
</script></body></html>
"""
