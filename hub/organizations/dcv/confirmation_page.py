"""The public page behind a mailed link: GET shows what would be confirmed, POST confirms it.

Mail scanners and link previews fetch every address they see; a GET therefore changes nothing, however often
it comes. The random value is the permission: the page needs no cookie and takes none.
"""

from __future__ import annotations

from html import escape

from hub.http.calls import Call
from hub.http.routing import PUBLIC, RawResponse, RouteSet, get, post
from hub.organizations.dcv.errors import ConfirmationRefused
from hub.organizations.dcv.service import DcvService

_MEDIA_TYPE = "text/html; charset=utf-8"
_HEADERS = {
    # Only this page's own form; no scripts, no images, nothing from elsewhere.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem;color:#1d2733}}
button{{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:4px;background:#14532d;color:#fff}}
code{{font-size:1.15em}}</style></head>
<body><h1>{title}</h1>{body}</body></html>
"""


class ConfirmationRoutes(RouteSet):
    """``/dcv/confirm/<mail>/<value>``."""

    base, prefix, tag = "", "/dcv/confirm", "domain-validation"

    def __init__(self, dcv: DcvService) -> None:
        self._db = dcv.db
        self._mails = dcv.mails

    @get(
        "/{mail}/{value}",
        action=PUBLIC,
        summary="Show what a mailed link confirms",
        returns=RawResponse,
        media_type=_MEDIA_TYPE,
    )
    async def show(self, call: Call[None, None]) -> RawResponse:
        """Show what would be confirmed."""
        try:
            async with self._db.read() as session:
                found = await self._mails.read(session, call.path["mail"], call.path["value"])
        except ConfirmationRefused as refusal:
            return _refused(refusal)
        body = (
            f"<p>{escape(found.requested_by)} asks to have certificates for the domain</p>"
            f"<p><code>{escape(found.domain)}</code></p><p>and for names below it. This was mailed to"
            f" {escape(found.recipient)}. Confirm only if you know about it.</p>"
            '<form method="post"><button>Confirm control of this domain</button></form>'
        )
        return _page("Confirm control of a domain", body)

    @post(
        "/{mail}/{value}",
        action=PUBLIC,
        summary="Confirm control of a domain",
        returns=RawResponse,
        media_type=_MEDIA_TYPE,
        reads_raw_body=True,
        max_body_bytes=1024,
    )
    async def confirm(self, call: Call[None, None]) -> RawResponse:
        """Confirm, once."""
        try:
            async with self._db.write() as uow:
                found = await self._mails.confirm(
                    uow, call.path["mail"], call.path["value"], remote=call.remote
                )
        except ConfirmationRefused as refusal:
            return _refused(refusal)
        return _page(
            "Confirmed",
            f"<p>Control of <code>{escape(found.domain)}</code> is confirmed. You can close this page.</p>",
        )


def _page(title: str, body: str, status: int = 200) -> RawResponse:
    text = _PAGE.format(title=escape(title), body=body)
    return RawResponse(text.encode(), _MEDIA_TYPE, headers=dict(_HEADERS), status=status)


def _refused(refusal: ConfirmationRefused) -> RawResponse:
    return _page("Link not valid", f"<p>{escape(refusal.message)}</p>", status=404)
