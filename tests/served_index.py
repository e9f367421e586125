"""A package index on 127.0.0.1 that pip is set to, for the tests: it answers what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest


class Index(BaseHTTPRequestHandler):
    """An index that answers by project, else 404; `asked` keeps what it was asked with."""

    pages: dict[str, tuple[int, str, bytes]]
    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        project = self.path.strip("/").split("/")[-1]
        nothing = (404, "text/html", b"")
        status, kind, body = self.pages.get(project, self.pages.get("*", nothing))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Served:
    """The index as pip is set to it."""

    def __init__(self, handler: type[Index], port: int, patch: pytest.MonkeyPatch) -> None:
        self.handler, self.address, self.patch = handler, f"127.0.0.1:{port}/simple", patch
        self.use()

    def use(self, login: str = "") -> None:
        self.patch.setenv("PIP_INDEX_URL", f"http://{login}{self.address}")

    def answer(self, project: str, body: str, status: int = 200, kind: str = "text/html") -> None:
        self.handler.pages[project] = (status, kind, body.encode())


@contextmanager
def serving(patch: pytest.MonkeyPatch) -> Iterator[Served]:
    """Such an index, as long as this goes on."""
    for name, value in {"PIP_RETRIES": "0", "no_proxy": "127.0.0.1"}.items():
        patch.setenv(name, value)
    handler = type("Answers", (Index,), {"pages": {}, "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield Served(handler, server.server_port, patch)
        server.shutdown()
