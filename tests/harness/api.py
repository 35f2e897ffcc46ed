"""A small client of the hub's REST API, for the demo and the tests: standard library only."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class ApiProblem(Exception):
    """The hub answered with a problem (RFC 9457)."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        super().__init__(
            f"{status} {problem.get('code')}: {problem.get('detail')} {problem.get('errors') or ''}"
        )


class Timeout(Exception):
    """What was waited for did not come in time."""


@dataclass(frozen=True, slots=True)
class Api:
    """Calls ``/api/v1`` of one hub with a bearer token, trusting the hub's own CA."""

    base_url: str
    token: str
    ca_file: Path | None

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send one request; return the decoded JSON, or the bytes of another media type.

        Raises:
            ApiProblem: the hub answered with an error status.
        """
        request = urllib.request.Request(
            f"{self.base_url}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        context = None
        if self.base_url.startswith("https:"):
            context = ssl.create_default_context(cafile=str(self.ca_file))
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as response:
                return _decoded(response.read(), response.headers.get_content_type())
        except urllib.error.HTTPError as error:
            answer = error.read()
            problem = json.loads(answer) if answer.startswith(b"{") else {"detail": answer[:200].decode()}
            raise ApiProblem(error.code, problem) from None

    def get(self, path: str, **query: Any) -> Any:
        """GET ``path``; keyword arguments become the query."""
        text = urllib.parse.urlencode(query, doseq=True)
        return self.call("GET", f"{path}?{text}" if text else path)

    def post(self, path: str, body: object = None) -> Any:
        """POST ``body`` as JSON to ``path``."""
        return self.call("POST", path, {} if body is None else body)

    def wait(self, path: str, until: Callable[[Any], bool], *, timeout_s: float = 30, **query: Any) -> Any:
        """GET ``path`` again and again until ``until`` likes the answer, and return that.

        Raises:
            Timeout: it did not within ``timeout_s``; carries the last answer.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self.get(path, **query)
            if until(answer):
                return answer
            if time.monotonic() > deadline:
                raise Timeout(f"{path} after {timeout_s:.0f} s: {json.dumps(answer)[:2000]}")
            time.sleep(0.1)  # noqa: TID251 - the harness polls from outside


def _decoded(body: bytes, media_type: str) -> Any:
    if not body:
        return None
    return json.loads(body) if media_type.endswith("json") else body
