"""A load test of ``classify-text serve`` on this machine: clients that send requests one after the other.

    python -m benchmarks.networks.serving model.safetensors --seconds 60 --clients 32

Starts a server, which shares the processor with the clients, and stops it with SIGTERM. The exit code is 1 after any
answer but 200, or if the server does not end with 0. Clients write prepared requests to a connection each, since
libraries of clients take more processor time than the server. Needs the extra ``serve``.
"""

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import click

_TEXTS = [
    "Evacuation ordered after the river burst its banks",
    "My kitchen is a disaster area after baking",
    "Rescue teams search the rubble",
    "Best film of the year, with a fire in the last act",
]


@dataclass
class Load:
    """Durations in seconds of the successful requests, and the number of others."""

    seconds: list[float]
    errors: int

    def quantile(self, share: float) -> float:
        return sorted(self.seconds)[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


async def load(url: str, seconds: float, clients: int, batch: int) -> Load:
    """Send requests of ``batch`` texts from several clients for some seconds."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    found, end = Load([], 0), time.perf_counter() + seconds

    async def one(number: int) -> None:
        texts = [f"{_TEXTS[(number + row) % len(_TEXTS)]} {row}" for row in range(batch)]
        body = json.dumps({"texts": texts}).encode()
        asked = f"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        reader, writer = await asyncio.open_connection(host, int(port))
        while time.perf_counter() < end:
            started = time.perf_counter()
            writer.write(asked)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            length = re.search(rb"content-length: (\d+)", head)
            answer = await reader.readexactly(int(length[1]) if length else 0)
            if head.startswith(b"HTTP/1.1 200") and answer.count(b'"probability"') == batch:
                found.seconds.append(time.perf_counter() - started)
            else:
                found.errors += 1
        writer.close()

    for result in await asyncio.gather(*map(one, range(clients)), return_exceptions=True):
        found.errors += isinstance(result, BaseException)  # the connection ended, or no answer in 30 s
    return found


def serve_and_load(model: str, seconds: float, clients: int, batch: int, *options: str) -> tuple[Load, int]:
    """Return the load on a server that this starts, and the exit code of the server."""
    code = "from wordvec_seqclf import classify_text; classify_text()"
    server = subprocess.Popen(
        [sys.executable, "-c", code, "serve", model, "--port", "0", *options], stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        while line and "http://" not in line:
            line = server.stderr.readline()
        address = re.search(r"http://[\d.:]+", line)
        if address is None:
            raise SystemExit("the server did not start")
        found = asyncio.run(load(address[0], seconds, clients, batch))
        server.send_signal(signal.SIGTERM)
        return found, server.wait(timeout=60)
    finally:
        server.kill()
        if server.stderr is not None:
            server.stderr.close()


@click.command()
@click.argument("model")
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--clients", default=32, show_default=True)
@click.option("--batch", default=1, show_default=True, help="Texts of a request.")
@click.option("--threads", default="1", show_default=True, help="Of the server.")
def main(model: str, seconds: float, clients: int, batch: int, threads: str) -> None:
    """Send requests to a server of MODEL and print their rate and durations."""
    found, code = serve_and_load(model, seconds, clients, batch, "--threads", threads)
    done = len(found.seconds)
    click.echo(f"{clients} clients, {batch} texts a request, {seconds:g} s: {done:,} requests, {found.errors:,} errors")
    if done:
        click.echo(f"{done * batch / seconds:,.0f} texts/s; " + ", ".join(
            f"p{share:g} {1000 * found.quantile(share / 100):.1f} ms" for share in (50, 90, 99, 99.9)
        ))  # fmt: skip
    sys.exit(int(bool(found.errors or code or not done)))


if __name__ == "__main__":
    main()
