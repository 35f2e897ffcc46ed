"""Serving the built console: hashed assets for ever, everything else as its one page.

The console routes in the browser, so any address that is no file and not reserved for a protocol gets
``index.html``. Files are read once at the start: nothing outside the folder can be asked for.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from hub.http.headers import CONSOLE_CSP

RESERVED = (
    "/api",
    "/acme",
    "/.well-known",
    "/scep",
    "/crl",
    "/ocsp",
    "/aia",
    "/healthz",
    "/readyz",
    "/metrics",
)
"""Addresses of protocols: never the console's page, so that a wrong one is an honest 404."""

_HASHED = re.compile(r"[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")
_MISSING = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>Certwright</title></head><body>
<h1>The console is not built</h1>
<p>The hub runs and its API is at <a href="/api/v1/openapi.json">/api/v1</a>. To build the console, run
<code>make console</code> in the source tree and restart the hub.</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    media_type: str
    cache_control: str


class Console:
    """The files of ``folder`` (``hub/web/dist``), as the shell's fallback."""

    def __init__(self, folder: Path) -> None:
        self._files = {f"/{path.relative_to(folder).as_posix()}": _load(path) for path in _files_in(folder)}

    @property
    def is_built(self) -> bool:
        """Whether there is a console to serve."""
        return "/index.html" in self._files

    async def __call__(self, request: web.Request) -> web.StreamResponse | None:
        """Return the file or page at the request's path; None for reserved paths."""
        path = request.path
        if any(path == prefix or path.startswith(prefix + "/") for prefix in RESERVED):
            return None
        if not self.is_built:
            return _respond(_File(_MISSING.encode(), "text/html; charset=utf-8", "no-store"), status=503)
        found = self._files.get(path)
        if found is None and path.startswith("/assets/"):
            # A page from before an update asks for files that are gone; it must not get HTML as a script.
            return None
        return _respond(found or self._files["/index.html"])


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []


def _load(path: Path) -> _File:
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type.startswith("text/") or media_type.endswith(("javascript", "json")):
        media_type += "; charset=utf-8"
    hashed = path.parent.name == "assets" and _HASHED.search(path.name) is not None
    return _File(
        path.read_bytes(), media_type, "public, max-age=31536000, immutable" if hashed else "no-cache"
    )


def _respond(file: _File, *, status: int = 200) -> web.Response:
    headers = {
        "Content-Type": file.media_type,
        "Cache-Control": file.cache_control,
        "Content-Security-Policy": CONSOLE_CSP,
    }
    return web.Response(status=status, body=file.body, headers=headers)
