"""What can happen to one request on its way to a catalog and back."""

from __future__ import annotations

from typing import Final

from tests.fakes.faultproxy import Fault, raw

PAGE: Final = b"<!doctype html><title>Log in to the guest network</title>"


def _json(status: str, body: bytes, *headers: str) -> bytes:
    return raw(status, body, "application/json", *headers)


FAULTS: Final = (
    Fault("request lost", forward=False),
    Fault("request reset", forward=False, ending="reset"),
    Fault("body cut", upload=20),
    Fault("reply lost"),
    Fault("reply reset", ending="reset"),
    Fault("reply cut", cut=175),
    Fault("stall", ending="stall"),
    Fault("400", forward=False, reply=_json("400 Bad Request", b'{"detail":"no"}')),
    Fault("401", forward=False, reply=_json("401 Unauthorized", b'{"detail":"Invalid key"}')),
    Fault("403", forward=False, reply=_json("403 Forbidden", b'{"detail":"not yours"}')),
    Fault("404", forward=False, reply=_json("404 Not Found", b'{"detail":"gone"}')),
    Fault("409", forward=False, reply=_json("409 Conflict", b'{"detail":"busy"}')),
    Fault("413", forward=False, reply=raw("413 Too Large", b"<html>too large</html>", "text/html")),
    Fault("429, later", forward=False, reply=_json("429 Slow Down", b"{}", "Retry-After: 7")),
    Fault("500", forward=False, reply=_json("500 Oops", b'{"detail":"boom"}')),
    Fault("500 but done", reply=_json("500 Oops", b'{"detail":"boom"}')),
    Fault("502 but done", reply=raw("502 Bad Gateway", b"<html>bad gateway</html>", "text/html")),
    Fault("503, later", forward=False, reply=raw("503 Unavailable", b"", "text/plain", "Retry-After: 3")),
    Fault("redirect", forward=False, reply=raw("302 Found", b"", "text/html", "Location: http://127.0.0.1:9/login")),
    Fault("200, HTML", forward=False, reply=raw("200 OK", PAGE, "text/html")),
    Fault("200, not it", forward=False, reply=_json("200 OK", b'[[["not", "it"]]]')),
    Fault("200, half JSON", reply=_json("200 OK", b'{"unique_id": "0tr0c')),
    Fault("no HTTP", forward=False, reply=b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
)
