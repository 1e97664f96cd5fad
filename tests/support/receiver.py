"""Another system: takes POSTs on a port of its own, and knows a message by its idempotency key."""

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """`taken` counts how often each key came in; `bodies` are the last by key; `answers` are the codes to give next.

    While `open` is not set, what has come in is not answered yet.
    """

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.bodies: dict[str, str] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.answers: list[int] = []
        self.arrived = threading.Condition()
        self.open = threading.Event()
        self.open.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                code = receiver.take(dict(self.headers.items()), body)
                self.send_response(code)
                if 300 <= code < 400:
                    self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:  # noqa: ANN401 - http.server's signature
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def take(self, headers: dict[str, str], body: str) -> int:
        """One message; the code to answer with. What is refused is not taken."""
        key = headers["Idempotency-Key"]
        with self.arrived:
            code = self.answers.pop(0) if self.answers else 200
            if code < 300:
                self.taken[key] += 1
                self.bodies[key], self.headers[key] = body, headers
            self.arrived.notify_all()
        self.open.wait(20)
        return code

    def wait_for(self, number: int, timeout_s: float = 20) -> bool:
        """Whether so many different messages came in in time."""
        with self.arrived:
            return self.arrived.wait_for(lambda: len(self.taken) >= number, timeout_s)

    def close(self) -> None:
        """Stop listening."""
        self.open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
