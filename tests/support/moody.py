"""An InfluxDB (fake, or a real one behind it) that is stopped, slow, refuses or answers by half on demand."""

import gzip
import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOODS = ("stopped", "slow", "refusing 503", "refusing 429", "refusing 401", "refusing 500", "half", "half taken")
NO_DELETES = "no deletes"
"""Writes and queries are answered, deletes are not."""


class Front:
    """A server on one port that can be in a bad mood. Without `behind` it keeps the lines itself.

    `slow_s`: real seconds that a slow answer takes.
    """

    def __init__(self, behind: str | None, slow_s: float = 1.0) -> None:
        self.behind, self.mood, self.lines, self._slow_s = behind, "well", set[bytes](), slow_s
        with socket.create_server(("127.0.0.1", 0)) as one:
            self.port = int(one.getsockname()[1])
        self._server: ThreadingHTTPServer | None = None
        self._slow = threading.Event()

    def start(self) -> None:
        """Listen on the port."""
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                front.answer(self)

            def do_GET(self) -> None:
                front.answer_query(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def stop(self) -> None:
        """Let go of the port: connections are refused."""
        if self._server is not None:
            self._slow.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            self._slow = threading.Event()

    def set(self, mood: str) -> None:
        """From now on in this mood (one of `MOODS`, or well)."""
        if self._server is None:
            self.start()
        self.mood = mood
        if mood == "stopped":
            self.stop()

    def answer_query(self, request: BaseHTTPRequestHandler) -> None:
        """What a store asks: nothing is known here, what is behind knows, or nobody answers well."""
        body = b'{"results": [{}]}'
        if self.behind is not None:
            with urllib.request.urlopen(self.behind + request.path) as answer:  # noqa: S310 - loopback
                body = answer.read()
        request.send_response(200 if self.mood in ("well", NO_DELETES) else 503)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """A write, answered by mood."""
        mood, body = self.mood, request.rfile.read(int(request.headers["Content-Length"]))
        status, answer = 204, b""
        if mood == "slow":
            self._slow.wait(self._slow_s)
        if mood.startswith("refusing"):
            status, answer = int(mood.split()[1]), b'{"message": "not now"}'
        elif mood == NO_DELETES and request.path.startswith("/api/v2/delete"):
            status = 503
        elif mood != "half":
            status = self._take(request, body)
        try:
            if mood.startswith("half"):
                request.wfile.write(b"HTTP/1.1 2")
                request.close_connection = True
                return
            request.send_response(status)
            request.send_header("Content-Length", str(len(answer)))
            request.end_headers()
            request.wfile.write(answer)
        except OSError:
            request.close_connection = True  # it did not wait for us

    def _take(self, request: BaseHTTPRequestHandler, body: bytes) -> int:
        if self.behind is None:
            self.lines.update(gzip.decompress(body).splitlines())
            return 204
        onward = urllib.request.Request(self.behind + request.path, body, method="POST")  # noqa: S310 - loopback
        if "Content-Encoding" in request.headers:
            onward.add_header("Content-Encoding", request.headers["Content-Encoding"])
        with urllib.request.urlopen(onward) as answer:  # noqa: S310 - loopback
            return int(answer.status)
