from __future__ import annotations

import http.client
import json
import re
import socket

import pytest

from d2l_lrsched.explorer.server import HOST


@pytest.fixture
def get(server):
    """Return a function that asks the server: path -> (status, type, content)."""

    def get(path):
        connection = http.client.HTTPConnection(HOST, server.server_port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
        finally:
            connection.close()

    return get


def test_the_page_asks_no_other_host(get):
    status, kind, page = get("/")
    assert (status, kind) == (200, "text/html; charset=utf-8")
    assert "<!DOCTYPE html>" in page
    assert not re.search(r"(https?:)?//\w+\.|@import", page)


def test_an_answer_is_that_of_the_query(get):
    status, kind, text = get("/answer?language=en&schedule=linear&base_lr=0.125")
    assert (status, kind) == (200, "application/json; charset=utf-8")
    assert json.loads(text)["code"].startswith("lrs.LinearScheduler(max_update=20, base_lr=0.125,")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/answer?schedule=none", 400, "schedule must be one of constant, "),
        ("/answer?base_lr=x", 400, "could not convert"),
        ("/../texts.py", 404, "there is / and /answer"),
    ],
)
def test_what_it_does_not_know(get, path, status, said):
    assert get(path)[::2] == (status, get(path)[2])
    assert said in get(path)[2]


def test_who_hangs_up_is_no_matter(server, get, capsys):
    for _ in range(3):
        with socket.create_connection((HOST, server.server_port)) as caller:
            caller.sendall(b"GET /answer HTTP/1.0\r\n\r\n")
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert get("/")[0] == 200
    assert capsys.readouterr().err == ""
