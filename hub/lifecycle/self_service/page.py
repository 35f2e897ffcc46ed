"""The public page of self-service: three forms and their answers, without scripts.

The passphrase is the permission: the page takes no cookie, so that another site that posts here gains nothing
by its visitor's browser. Rendered anew for each answer; nothing that was typed is shown again but the id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError

from hub.db.errors import HubError, Malformed, RateLimited
from hub.http.calls import Call
from hub.http.problems import status_of
from hub.http.routing import PUBLIC, RawResponse, RouteSet, get, post
from hub.lifecycle.errors import RequestRefused
from hub.lifecycle.self_service.schemas import SelfDownloadBody, SelfRenewBody, SelfRevokeBody
from hub.lifecycle.self_service.service import SelfService
from pki.crls import RevocationReason
from pki.download_formats import DownloadFormat

_MEDIA_TYPE = "text/html; charset=utf-8"
_HEADERS = {
    # Only this page's own forms; no scripts, no images, nothing from elsewhere.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_MAX_BODY = 16 * 1024
_MAX_FIELDS = 10
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:38rem;margin:6vh auto;padding:0 1.5rem;color:#1d2733}}
form{{border:1px solid #c5ced8;border-radius:6px;padding:.4rem 1.2rem 1.2rem;margin:1.4rem 0}}
label{{display:block;margin:.7rem 0 .2rem}} label.check{{display:flex;gap:.5rem}}
input:not([type=checkbox]),select,textarea{{font:inherit;width:100%;box-sizing:border-box;padding:.4rem}}
button{{font:inherit;margin-top:1rem;padding:.6rem 1.2rem;border:0;border-radius:4px;background:#14532d;
color:#fff}}
.note{{padding:.7rem 1rem;border-left:4px solid #14532d;background:#eef6f0}}
.fault{{border-color:#9f1239;background:#fdf0f3}}</style></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"""
_FORMATS = {
    DownloadFormat.WITH_ISSUERS_AFTER: "Certificate with issuers after, PEM",
    DownloadFormat.CERTIFICATE_ONLY: "Certificate only, PEM",
    DownloadFormat.WITH_CHAIN: "Certificate with chain, PEM",
    DownloadFormat.PKCS7_DER: "PKCS#7",
    DownloadFormat.PKCS7_PEM: "PKCS#7, PEM",
    DownloadFormat.INTERMEDIATES_AND_ROOT: "Intermediates and root only, PEM",
    DownloadFormat.ROOT_AND_INTERMEDIATES: "Root and intermediates only, PEM",
}
BodyT = TypeVar("BodyT", bound=BaseModel)


class SelfServicePage(RouteSet):
    """``/self-service/ssl`` for people."""

    base, prefix, tag = "", "/self-service/ssl", "self-service"

    def __init__(self, service: SelfService) -> None:
        self._service = service

    @get("", action=PUBLIC, summary="Show the page", returns=RawResponse, media_type=_MEDIA_TYPE)
    async def show(self, _call: Call[None, None]) -> RawResponse:
        """Show the three forms."""
        return _page(_forms())

    @post(
        "/renew",
        action=PUBLIC,
        summary="Renew a certificate",
        returns=RawResponse,
        media_type=_MEDIA_TYPE,
        reads_raw_body=True,
        max_body_bytes=_MAX_BODY,
    )
    async def renew(self, call: Call[None, None]) -> RawResponse:
        """Request the successor and say what becomes of it."""
        try:
            body = _read(call, SelfRenewBody)
            enrolled = await self._service.renew(
                call.principal, body.shown(), agreement_accepted=body.agreement_accepted
            )
        except HubError as fault:
            return _refused(fault)
        said = "It is issued." if enrolled.status == "Issued" else f"It is {enrolled.status} now."
        if enrolled.status == "Requested":
            said = "It waits for an administrator's approval."
        return _page(
            f'<p class="note">The new certificate has the id <strong>{enrolled.id}</strong> and the same'
            f" passphrase. {said}</p>{_forms(str(enrolled.id))}"
        )

    @post(
        "/download",
        action=PUBLIC,
        summary="Download a certificate",
        returns=RawResponse,
        media_type="application/octet-stream",
        reads_raw_body=True,
        max_body_bytes=_MAX_BODY,
    )
    async def download(self, call: Call[None, None]) -> RawResponse:
        """Return the certificate as a file."""
        try:
            body = _read(call, SelfDownloadBody)
            file = await self._service.download(call.principal, body.shown(), format_name=body.format.value)
        except HubError as fault:
            return _refused(fault)
        return RawResponse(file.body, file.media_type, file.filename, headers={"Cache-Control": "no-store"})

    @post(
        "/revoke",
        action=PUBLIC,
        summary="Revoke a certificate",
        returns=RawResponse,
        media_type=_MEDIA_TYPE,
        reads_raw_body=True,
        max_body_bytes=_MAX_BODY,
    )
    async def revoke(self, call: Call[None, None]) -> RawResponse:
        """Revoke and say so."""
        try:
            body = _read(call, SelfRevokeBody)
            await self._service.revoke(
                call.principal, body.shown(), reason=body.reason.value, comments=body.comments
            )
        except HubError as fault:
            return _refused(fault)
        return _page(f'<p class="note">Certificate {body.certificate_id} is revoked.</p>{_forms()}')


def _read(call: Call[None, None], schema: type[BodyT]) -> BodyT:
    """Return a posted form; raise Malformed without what was typed."""
    media_type = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise Malformed("send the form of this page")
    try:
        pairs = parse_qsl(call.raw_body.decode(), strict_parsing=True, max_num_fields=_MAX_FIELDS)
        fields: Mapping[str, str] = dict(pairs)
        return schema.model_validate(fields)
    except ValidationError as fault:
        names = sorted({str(item["loc"][0]) for item in fault.errors(include_input=False) if item["loc"]})
        raise Malformed("please fill in: " + ", ".join(name.replace("_", " ") for name in names)) from None
    except ValueError:
        raise Malformed("send the form of this page") from None


def _page(body: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> RawResponse:
    text = _PAGE.format(title="Your TLS certificate", body=body)
    return RawResponse(text.encode(), _MEDIA_TYPE, headers={**_HEADERS, **(headers or {})}, status=status)


def _refused(fault: HubError) -> RawResponse:
    message = fault.message
    if isinstance(fault, RequestRefused) and any(
        finding.reason == "AgreementNotAccepted" for finding in fault.findings
    ):
        message = "Accept the subscriber agreement to renew this certificate."
    headers = {"Retry-After": str(fault.retry_after_s)} if isinstance(fault, RateLimited) else {}
    note = f'<p class="note fault" role="alert">{escape(message)}</p>'
    return _page(note + _forms(), status=status_of(fault), headers=headers)


def _forms(certificate_id: str = "") -> str:
    known = f' value="{escape(certificate_id, quote=True)}"' if certificate_id else ""

    def form(name: str, title: str, fields: str) -> str:
        return (
            f'<form method="post" action="/self-service/ssl/{name}"><h2>{title}</h2>'
            f'<label for="{name}-id">Certificate ID</label><input id="{name}-id" name="certificate_id"'
            f' inputmode="numeric" pattern="[0-9]+" required{known}>'
            f'<label for="{name}-passphrase">Passphrase</label><input id="{name}-passphrase"'
            f' name="passphrase" type="password" autocomplete="off" maxlength="256" required>'
            f"{fields}<button>{title}</button></form>"
        )

    agree = (
        '<label class="check"><input type="checkbox" name="agreement_accepted" value="true">'
        "I accept the subscriber agreement of this certificate, if there is one</label>"
    )
    formats = _select("download", "format", "Format", _FORMATS, str)
    reasons = _select("revoke", "reason", "Reason", {item: item.value for item in RevocationReason}, str)
    comments = (
        '<label for="revoke-comments">Comments</label>'
        '<textarea id="revoke-comments" name="comments" rows="3" maxlength="4000" required></textarea>'
    )
    return (form("renew", "Renew", agree) + form("download", "Download", formats)) + form(
        "revoke", "Revoke", reasons + comments
    )


KeyT = TypeVar("KeyT")


def _select(
    form: str, name: str, label: str, options: Mapping[KeyT, str], value: Callable[[KeyT], str]
) -> str:
    items = "".join(
        f'<option value="{escape(value(key), quote=True)}">{escape(text)}</option>'
        for key, text in options.items()
    )
    return (
        f'<label for="{form}-{name}">{label}</label><select id="{form}-{name}" name="{name}">{items}</select>'
    )
