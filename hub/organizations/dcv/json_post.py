"""Posting JSON to a service that an administrator of the whole system configured."""

from __future__ import annotations

from typing import Any

import aiohttp

from hub.organizations.dcv.errors import WriterFailed

_TIMEOUT_S = 15.0
_MAX_BYTES = 16 * 1024


async def post_json(url: str, *, headers: dict[str, str], body: dict[str, Any]) -> tuple[int, str]:
    """Return status and text. Raises WriterFailed: the service can't be reached, or says too much."""
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(trust_env=False, timeout=timeout) as session,
            session.post(url, json=body, headers=headers, allow_redirects=False) as response,
        ):
            text = bytearray()
            async for chunk in response.content.iter_chunked(4096):
                text += chunk
                if len(text) > _MAX_BYTES:
                    raise WriterFailed("AnswerTooLarge", f"{url} answered with more than {_MAX_BYTES} bytes")
            return response.status, text.decode("utf-8", "replace")
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise WriterFailed("ServerUnreachable", f"{url}: {str(error) or type(error).__name__}") from error
