"""Admin REST of CA backends, and the public addresses of CRLs and CA certificates (RFC 5280, 4.2.2.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.routing import PUBLIC, RawResponse, RouteSet, get, patch, post
from hub.issuers.addresses import StatusAddresses
from hub.issuers.authorities import answers_ocsp
from hub.issuers.contract import CanRevoke
from hub.issuers.errors import UnknownBackendKind
from hub.issuers.ocsp.responders import ResponderRecord
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.issuers.records import AuthorityRecord, CrlRecord
from hub.issuers.schemas import (
    AuthorityView,
    BackendChange,
    BackendCreate,
    BackendDetail,
    BackendList,
    BackendView,
    CrlView,
    HealthView,
    KindList,
    KindView,
    PrivateHierarchyCreate,
    ResponderView,
    TestResult,
)
from hub.issuers.service import BackendChanges, BackendRecord, Health, HierarchySpec, IssuerService
from pki.certificates import parse_certificate

# Revocation must be seen within the minute, so nobody keeps a list for longer without asking again.
_CRL_MAX_AGE_S = 60
_CERTIFICATE_MAX_AGE_S = 86_400
_PEM_CHAIN = "application/pem-certificate-chain"


class IssuerRoutes(RouteSet):
    """``/ca-backends``."""

    prefix, tag = "/ca-backends", "ca-backends"

    def __init__(self, db: Database, issuers: IssuerService) -> None:
        self._db = db
        self._issuers = issuers

    @get("", action="ca_backends.view", summary="List CA backends", returns=BackendList)
    async def list(self, call: Call[None, None]) -> BackendList:  # noqa: ARG002 - nothing to narrow
        """Return all CA backends; there are few, so in one piece."""
        async with self._db.read() as session:
            records = await self._issuers.list(session)
            health = await self._issuers.health(session, [record.id for record in records])
        return BackendList(items=[_view(record, health[record.id]) for record in records])

    @post(
        "",
        action="ca_backends.edit",
        summary="Create a CA backend",
        body=BackendCreate,
        returns=BackendDetail,
        status=201,
    )
    async def create(self, call: Call[BackendCreate, None]) -> BackendDetail:
        """Configure a CA elsewhere; nothing is asked of it yet, which is what the test is for."""
        if call.body.kind == PrivateCaBackend.kind:
            raise UnknownBackendKind("a private CA is made by POST /ca-backends/private", field="kind")
        async with self._db.write() as uow:
            backend_id = await self._issuers.create_backend(
                uow,
                name=call.body.name.strip(),
                kind=call.body.kind,
                settings=call.body.settings,
                principal=call.principal,
            )
        return await self._detail(backend_id)

    @patch(
        "/{id:int}",
        action="ca_backends.edit",
        summary="Change a CA backend",
        body=BackendChange,
        returns=BackendDetail,
    )
    async def change(self, call: Call[BackendChange, None]) -> BackendDetail:
        """Change name, settings or status."""
        changes = BackendChanges(**call.body.model_dump())
        async with self._db.write() as uow:
            await self._issuers.change_backend(uow, call.int_path("id"), changes, principal=call.principal)
        return await self._detail(call.int_path("id"))

    @get(
        "/kinds",
        action="ca_backends.view",
        summary="List the installed kinds of CA backends",
        returns=KindList,
    )
    async def kinds(self, call: Call[None, None]) -> KindList:  # noqa: ARG002 - nothing to narrow
        """Return the kinds that are installed and what settings they take."""
        return KindList(
            items=[
                KindView(
                    kind=name,
                    title=getattr(kind, "display_name", name),
                    settings_schema=kind.settings_model.model_json_schema(),
                )
                for name, kind in sorted(self._issuers.kinds.items())
            ]
        )

    @get("/{id:int}", action="ca_backends.view", summary="Read a CA backend", returns=BackendDetail)
    async def read(self, call: Call[None, None]) -> BackendDetail:
        """Return one CA backend with its authorities and the facts of their CRLs."""
        return await self._detail(call.int_path("id"))

    @post(
        "/private",
        action="ca_backends.edit",
        summary="Create a private CA: a root and an issuing CA",
        body=PrivateHierarchyCreate,
        returns=BackendDetail,
        status=201,
    )
    async def create_private(self, call: Call[PrivateHierarchyCreate, None]) -> BackendDetail:
        """Make keys and certificates, then store them; RSA takes some seconds."""
        values = call.body.model_dump()
        values["root_key_type"] = values["root_key_type"] or ""
        made = await self._issuers.make_hierarchy(HierarchySpec(**values))
        async with self._db.write() as uow:
            backend_id = await self._issuers.store_hierarchy(uow, made, principal=call.principal)
        # So that the first question finds a responder.
        await self._issuers.roll_over_responders()
        return await self._detail(backend_id)

    @get(
        "/{id:int}/chain",
        action="ca_backends.view",
        summary="Download the CA chain as PEM",
        returns=RawResponse,
        media_type=_PEM_CHAIN,
    )
    async def chain(self, call: Call[None, None]) -> RawResponse:
        """Return the issuing CA and its root."""
        async with self._db.read() as session:
            body = await self._issuers.chain_pem(session, call.int_path("id"))
        return RawResponse(body, _PEM_CHAIN, filename=f"ca-chain-{call.int_path('id')}.pem")

    @post("/{id:int}/test", action="ca_backends.edit", summary="Test a CA backend", returns=TestResult)
    async def test(self, call: Call[None, None]) -> TestResult:
        """Open the backend and let it test itself; a failure is the answer, not an error."""
        async with self._db.read() as session:
            await self._issuers.get(session, call.int_path("id"))
        fault = await self._issuers.test(call.int_path("id"))
        if fault is not None:
            return TestResult(ok=False, code=fault.code, message=fault.message)
        return TestResult(ok=True)

    @post(
        "/{id:int}/crls/publish",
        action="ca_backends.edit",
        summary="Publish all CRLs of a private CA now",
        returns=BackendDetail,
    )
    async def publish_crls(self, call: Call[None, None]) -> BackendDetail:
        """Make the lists of all authorities, whether they are due or not."""
        async with self._db.write() as uow:
            await self._issuers.publish_crls(uow, call.int_path("id"), principal=call.principal)
        return await self._detail(call.int_path("id"))

    async def _detail(self, backend_id: int) -> BackendDetail:
        async with self._db.read() as session:
            record = await self._issuers.get(session, backend_id)
            authorities = await self._issuers.authorities(session, backend_id)
            responders = await self._issuers.responders(session, backend_id)
            health = await self._issuers.health(session, [backend_id])
        newest = {item.authority_id: item for item in reversed(responders)}
        kind = self._issuers.kinds.get(record.kind)
        return BackendDetail(
            **_view(record, health[backend_id]).model_dump(),
            can_revoke=kind is not None and issubclass(kind, CanRevoke),
            authorities=[
                _authority_view(item, self._addresses(item, record.settings), newest.get(item.id))
                for item in authorities
            ],
        )

    def _addresses(self, authority: AuthorityRecord, settings: dict[str, Any]) -> StatusAddresses:
        return StatusAddresses(
            base=settings.get("status_url") or self._issuers.public_url,
            slug=authority.slug,
            shards=authority.crl_shards,
            crl_base=authority.crl_base,
            has_ocsp=answers_ocsp(authority.role, settings),
        )


class StatusRoutes(RouteSet):
    """``/crl/<ca>.crl`` and ``/aia/<ca>.cer``: what certificates point at, for everybody."""

    base, prefix, tag = "", "", "status"

    def __init__(self, db: Database, issuers: IssuerService) -> None:
        self._db = db
        self._issuers = issuers

    @get(
        "/crl/{ca}.crl",
        action=PUBLIC,
        summary="Download a CRL",
        returns=RawResponse,
        media_type="application/pkix-crl",
    )
    async def crl(self, call: Call[None, None]) -> RawResponse:
        """Return the CRL that is out, or 304 to who has it."""
        async with self._db.read() as session:
            published = await self._issuers.crl(session, call.path["ca"])
        headers = {
            **_caching(published.der, _CRL_MAX_AGE_S),
            "Last-Modified": _http_date(published.this_update),
        }
        return _unless_known(call.headers, published.der, "application/pkix-crl", headers)

    @get(
        "/aia/{ca}.cer",
        action=PUBLIC,
        summary="Download a CA certificate",
        returns=RawResponse,
        media_type="application/pkix-cert",
    )
    async def certificate(self, call: Call[None, None]) -> RawResponse:
        """Return the CA's certificate as DER."""
        async with self._db.read() as session:
            certificate = await self._issuers.authority_certificate(session, call.path["ca"])
        headers = _caching(certificate, _CERTIFICATE_MAX_AGE_S)
        return _unless_known(call.headers, certificate, "application/pkix-cert", headers)


def _view(record: BackendRecord, health: Health) -> BackendView:
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return BackendView.model_validate({**values, "health": HealthView.model_validate(health)})


def _authority_view(
    record: AuthorityRecord, addresses: StatusAddresses, responder: ResponderRecord | None
) -> AuthorityView:
    facts = parse_certificate(record.certificate)
    crls = [_crl_view(item, addresses) for item in record.crls]
    return AuthorityView(
        id=record.id,
        role="root" if record.role == "root" else "issuing",
        slug=record.slug,
        subject=facts.subject,
        serial=facts.serial,
        key_type=facts.key_type,
        signature_algorithm=facts.signature_algorithm,
        sha256=hashlib.sha256(record.certificate).hexdigest(),
        not_before=record.not_before,
        not_after=record.not_after,
        certificate_url=addresses.certificate_url,
        crl=crls[0] if crls else None,
        crls=crls,
        ocsp_url=addresses.ocsp_url if record.role == "issuing" else None,
        ocsp_in_certificates=addresses.has_ocsp,
        responder=None
        if responder is None
        else ResponderView(
            serial=responder.serial_hex, not_before=responder.not_before, not_after=responder.not_after
        ),
    )


def _crl_view(record: CrlRecord, addresses: StatusAddresses) -> CrlView:
    return CrlView(
        url=addresses.crl_url(record.shard),
        number=record.number,
        entries=record.entries,
        this_update=record.this_update,
        next_update=record.next_update,
    )


def _caching(body: bytes, max_age_s: int) -> dict[str, str]:
    return {
        "Cache-Control": f"public, max-age={max_age_s}",
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    }


def _unless_known(
    request: Mapping[str, str], body: bytes, media_type: str, headers: dict[str, str]
) -> RawResponse:
    known = {tag.strip().removeprefix("W/") for tag in request.get("If-None-Match", "").split(",")}
    if headers["ETag"] in known:
        return RawResponse(b"", media_type, headers=headers, status=304)
    return RawResponse(body, media_type, headers=headers)


def _http_date(at: datetime) -> str:
    return format_datetime(at, usegmt=True)
