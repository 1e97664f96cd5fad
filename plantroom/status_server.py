"""Health, readiness and metrics of a process, on a small HTTP server of its own."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import prometheus_client

from facility.errors import PermanentError


@contextmanager
def serve_status(
    host: str, port: int, metrics: prometheus_client.CollectorRegistry, ready: Callable[[], Sequence[str]]
) -> Iterator[None]:
    """Answer /healthz, /readyz (503 with the reasons) and /metrics. Raises PermanentError when it cannot listen."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, prometheus_client.CONTENT_TYPE_LATEST, prometheus_client.generate_latest(metrics))
            elif self.path in ("/healthz", "/readyz"):
                reasons = list(ready()) if self.path == "/readyz" else []
                said = {"status": "not ready" if reasons else "ready", "reasons": reasons}
                self._answer(503 if reasons else 200, "application/json", json.dumps(said).encode())
            else:
                self._answer(404, "text/plain", b"/healthz, /readyz and /metrics are here\n")

        def _answer(self, code: int, kind: str, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """Nobody reads a line for each question of a monitor."""

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        msg = f"health and metrics cannot be served on {host}:{port}: {error.strerror}; is the port taken?"
        raise PermanentError(msg) from error
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="status")
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
