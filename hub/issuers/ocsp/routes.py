"""OCSP over HTTP (RFC 6960, appendix A; RFC 5019, 5 and 6): ``/ocsp/<ca>``, for everybody."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache

from hub.http.calls import Call
from hub.http.routing import PUBLIC, RawResponse, RouteSet, get, post
from hub.issuers.ocsp.service import Answer, OcspService
from pki.errors import MalformedOcspRequest
from pki.ocsp import MAX_REQUEST_BYTES, request_from_path
from pki.ocsp_responses import ResponseStatus, error_response

_MEDIA_TYPE = "application/ocsp-response"
# Revocation must be seen within the minute, so no cache keeps an answer for longer without asking again,
# although it is good for hours.
_MAX_AGE_S = 60


class OcspRoutes(RouteSet):
    """``/ocsp/<ca>``: what certificates point at."""

    base, prefix, tag = "", "/ocsp", "status"

    def __init__(self, ocsp: OcspService) -> None:
        self._ocsp = ocsp

    @get(
        "/{ca}/{request:.+}",
        action=PUBLIC,
        summary="Ask for a certificate's status; the request is in the address, in base64",
        returns=RawResponse,
        media_type=_MEDIA_TYPE,
        lean=True,
    )
    async def by_address(self, call: Call[None, None]) -> RawResponse:
        """Answer a request that caches may answer next time."""
        try:
            request = request_from_path(call.path["request"])
        except MalformedOcspRequest:
            return self._response(Answer(error_response(ResponseStatus.MALFORMED_REQUEST)))
        return self._response(await self._ocsp.answer(call.path["ca"], request))

    @post(
        "/{ca}",
        action=PUBLIC,
        summary="Ask for the status of certificates",
        returns=RawResponse,
        media_type=_MEDIA_TYPE,
        reads_raw_body=True,
        lean=True,
        max_body_bytes=MAX_REQUEST_BYTES,
    )
    async def by_body(self, call: Call[None, None]) -> RawResponse:
        """Answer a request of any kind."""
        return self._response(await self._ocsp.answer(call.path["ca"], call.raw_body))

    def _response(self, answer: Answer) -> RawResponse:
        headers = answer_headers(answer, now=self._ocsp.now().timestamp())
        return RawResponse(answer.body, _MEDIA_TYPE, headers=headers)


def answer_headers(answer: Answer, *, now: float) -> dict[str, str]:
    """Return the caching headers of RFC 5019, 6.2, for an answer that goes out at ``now``."""
    if answer.until is None:
        return {"Cache-Control": "no-store"}
    max_age = max(0, min(_MAX_AGE_S, int(answer.until - now)))
    return {
        "Cache-Control": f"max-age={max_age}, public, no-transform, must-revalidate",
        "Last-Modified": _http_date(int(answer.produced_at)),
        "Expires": _http_date(int(now) + max_age),
        "ETag": f'"{answer.tag}"',
    }


@lru_cache(maxsize=4096)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)
