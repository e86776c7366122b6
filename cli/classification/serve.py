"""``classify-text serve``: a classifier behind HTTP."""

import contextlib
import socket

import click

from cli.classification.examples import load_classifier
from cli.shared import options
from cli.shared.errors import Command, Failure
from cli.shared.reporting import log


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen on; 0: a free one."
)
@click.option(
    "--max-body",
    type=options.Size(),
    default="1M",
    show_default=True,
    metavar="SIZE",
    help="Largest body of a request.",
)
@click.option(
    "--max-texts", type=options.LEAST_1, default=1000, show_default=True, metavar="N", help="Most texts of a request."
)
@options.threads_option
@options.quiet_option
def serve(model: str, host: str, port: int, max_body: int, max_texts: int, threads: int | None, quiet: bool) -> None:
    """Answer HTTP requests for predictions of MODEL until Ctrl-C or SIGTERM.

    POST /predict takes {"text": ...} or {"texts": [...]}, optionally top_k and min_confidence. GET /docs describes the
    interface, /openapi.json for programs; /health, /metrics (Prometheus) and /model (its card) are for monitoring.
    Requests that have begun are answered before the server stops. There is no authentication: keep the default address,
    or put a proxy before it.

    \b
    Example:
      classify-text serve model.safetensors --port 8000
      curl -d '{"text": "Flood warning"}' localhost:8000/predict
    """
    from seqclf.serving.app import application, check_libraries
    from wordvec.formats.cards import model_card
    from wordvec.formats.registry import describe

    loaded = load_classifier(model)
    check_libraries()
    import uvicorn

    loaded.predict_proba(["compile the kernels before the first request"], threads=threads)
    app = application(
        loaded, card=model_card(describe(model)).as_dict(), max_bytes=max_body, max_texts=max_texts, threads=threads
    )
    with _listening(host, port) as listener:
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=30)
        shown = f"[{host}]" if ":" in host else host
        log(f"{model}: serving on http://{shown}:{listener.getsockname()[1]}, described at /docs", quiet)
        with contextlib.suppress(KeyboardInterrupt):  # raised again by the server once it has stopped
            uvicorn.Server(config).run(sockets=[listener])
    log("stopped; all requests are answered", quiet)


def _listening(host: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        # Connections inherit it. Otherwise, the body of an answer waits 40 ms for the client to acknowledge the head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        reason = (error.strerror or str(error)).split(" (while ")[0].lower()  # Python adds the address again
        raise Failure(f"cannot listen on {host}:{port}: {reason}; choose another --host or --port") from error
