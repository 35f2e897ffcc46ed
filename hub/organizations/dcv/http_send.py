"""Requests to a DNS provider's API that an administrator of the whole system configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp

from hub.organizations.dcv.errors import WriterFailed

_TIMEOUT_S = 20.0
_MAX_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """Status, headers by lower-case name, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, for people."""
        return self.body.decode("utf-8", "replace")


class HttpSender(Protocol):
    """Sends a request; no proxies, no redirects, bounded in size and time."""

    async def __call__(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> HttpAnswer:
        """Return the answer, whatever its status. Raises WriterFailed: there is none."""
        ...


async def send_http(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
) -> HttpAnswer:
    """Send a request. Raises WriterFailed: the service can't be reached, or says too much."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=timeout) as session,
            session.request(method, url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            found = bytearray()
            async for chunk in response.content.iter_chunked(65_536):
                found += chunk
                if len(found) > _MAX_BYTES:
                    raise WriterFailed("AnswerTooLarge", f"{url} answered with more than {_MAX_BYTES} bytes")
            names = {name.lower(): value for name, value in response.headers.items()}
            return HttpAnswer(status=response.status, headers=names, body=bytes(found))
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise WriterFailed("ServerUnreachable", f"{url}: {str(error) or type(error).__name__}") from error
