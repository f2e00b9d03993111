"""The explorer's page and its answers, served to this machine only."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HOST = "127.0.0.1"
PAGE = Path(__file__).parent / "page.html"
#: The page asks nobody but this server, and none of it comes from elsewhere.
POLICY = "default-src 'self' 'unsafe-inline'; img-src data:"


class Server(ThreadingHTTPServer):
    """Listens at a port of this machine, from when it is made.

    `answer` goes from a query to what the page shows, ready for json, or raises a ValueError.

    Raises
    ------
    OSError
        If the port cannot be used.
    """

    def __init__(self, port: int, answer: Callable[[Mapping[str, str]], Any]) -> None:
        super().__init__((HOST, port), _Handler)
        self.answer = answer

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{HOST}:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        if asked.path == "/":
            self._send(HTTPStatus.OK, "text/html", PAGE.read_bytes())
        elif asked.path == "/answer":
            try:
                answer = self.server.answer(dict(parse_qsl(asked.query)))
            except ValueError as error:
                self._send(HTTPStatus.BAD_REQUEST, "text/plain", str(error).encode())
            else:
                self._send(HTTPStatus.OK, "application/json", json.dumps(answer).encode())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"there is / and /answer")

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # of a page that was closed meanwhile
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing of a request."""
