"""A web server on this machine that answers as it is told: for adapters of services on the internet."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit


class Asked(NamedTuple):
    """A request as it came in."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


class Answer(NamedTuple):
    """What is answered."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}


@dataclass
class Served:
    """A server, and what it has been asked."""

    answer: Callable[[Asked], Answer]
    """May be exchanged between requests."""
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def served(answer: Callable[[Asked], Answer]) -> Iterator[Served]:
    """Run a server while the block lasts."""
    told = Served(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(parts.path, dict(parse_qsl(parts.query)), dict(self.headers.items()), body)
            told.asked.append(asked)
            body, status, headers = told.answer(asked)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the server's name for it

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()
