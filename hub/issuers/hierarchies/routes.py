"""Admin REST of private CAs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.http.calls import Call
from hub.http.routing import RawResponse, RouteSet, delete, get, post
from hub.issuers.addresses import StatusAddresses
from hub.issuers.hierarchies import ceremonies, store
from hub.issuers.hierarchies.errors import PrivateCaNotFound
from hub.issuers.hierarchies.offline import OfflineCas
from hub.issuers.hierarchies.records import (
    CA_TEMPLATES,
    CrossCertificate,
    PrivateCa,
)
from hub.issuers.hierarchies.rollover import Rollover, RolloverChoice
from hub.issuers.hierarchies.schemas import (
    CaRevocation,
    CeremonyList,
    CeremonyView,
    CrlImport,
    LeafTemplateView,
    PrivateCaCreate,
    PrivateCaDetail,
    PrivateCaList,
    PrivateCaOptions,
    PrivateCaView,
    RolloverRequest,
    RootImport,
    SignedCertificate,
    TrialChange,
)
from hub.issuers.hierarchies.service import PrivateCaService
from hub.issuers.hierarchies.views import cross_view, limits, new_ca, request_view, template_view
from hub.issuers.private_ca.leaf_templates import LEAF_TEMPLATES
from hub.issuers.service import AuthorityRecord
from pki.certificates import parse_certificate
from pki.encodings import csr_pem

_CER = "application/pkix-cert"


class PrivateCaRoutes(RouteSet):
    """``/private-cas``."""

    prefix, tag = "/private-cas", "private-cas"

    def __init__(self, cas: PrivateCaService) -> None:
        self._cas = cas
        self._offline = OfflineCas(cas)
        self._rollover = Rollover(cas, self._offline)

    @get("", action="private_cas.view", summary="List private CAs", returns=PrivateCaList)
    async def list(self, call: Call[None, None]) -> PrivateCaList:  # noqa: ARG002 - nothing to narrow
        """Return all private CAs, and the signing requests that wait for a certificate."""
        cas, requests = await self._cas.list()
        return PrivateCaList(
            items=[self._view(item) for item in cas], requests=[request_view(item) for item in requests]
        )

    @get(
        "/options",
        action="private_cas.view",
        summary="What a new private CA can be",
        returns=PrivateCaOptions,
    )
    async def options(self, call: Call[None, None]) -> PrivateCaOptions:  # noqa: ARG002 - for everybody the same
        """Return templates, and whether there is an HSM."""
        hsm = self._cas.issuers.hsm
        return PrivateCaOptions(
            templates=[template_view(item) for item in CA_TEMPLATES.values()],
            leaf_templates=[
                LeafTemplateView(
                    certificate_type=name,
                    title=item.title,
                    key_usage=[*item.key_usage],
                    extended_key_usage=[*item.suggested],
                )
                for name, item in LEAF_TEMPLATES.items()
            ],
            hsm=None if hsm is None else hsm.name,
        )

    @get("/ceremonies", action="private_cas.view", summary="Read the key ceremony log", returns=CeremonyList)
    async def ceremonies(self, call: Call[None, None]) -> CeremonyList:  # noqa: ARG002 - there is one log
        """Return who made, signed, rolled over or exported which CA."""
        async with self._cas.db.read() as session:
            entries = await ceremonies.listed(session)
        return CeremonyList(
            items=[
                CeremonyView(
                    sequence=item.sequence,
                    at=item.at,
                    actor=item.actor_name,
                    action=item.action,
                    object_id=item.object_id,
                    details=item.details,
                    sha256=item.sha256,
                )
                for item in entries
            ]
        )

    @post(
        "",
        action="private_cas.edit",
        summary="Create a private CA",
        body=PrivateCaCreate,
        returns=PrivateCaView,
        status=201,
    )
    async def create(self, call: Call[PrivateCaCreate, None]) -> PrivateCaView:
        """Make a root or an issuing CA; with ``external`` a key and a signing request."""
        new = new_ca(call.body)
        if not new.external:
            return await self._one(await self._cas.create(new, principal=call.principal))
        request_id = await self._offline.request(new, principal=call.principal)
        async with self._cas.db.read() as session:
            return request_view(await store.request(session, request_id))

    @post(
        "/import-root",
        action="private_cas.edit",
        summary="Import an offline root",
        body=RootImport,
        returns=PrivateCaView,
        status=201,
    )
    async def import_root(self, call: Call[RootImport, None]) -> PrivateCaView:
        """Take a root's certificate and its CRL; its key stays where it is."""
        body = call.body
        crl = body.crl.encode() or None
        return await self._one(
            await self._offline.import_root(
                body.name, body.certificate.encode(), crl=crl, principal=call.principal
            )
        )

    @get("/{id:int}", action="private_cas.view", summary="Read a private CA", returns=PrivateCaDetail)
    async def read(self, call: Call[None, None]) -> PrivateCaDetail:
        """Return one private CA with its limits, addresses and cross-certificates."""
        ca, crosses = await self._cas.get(call.int_path("id"))
        async with self._cas.db.read() as session:
            authorities = await self._cas.issuers.authorities(session, ca.backend_id)
            backend = await self._cas.issuers.get(session, ca.backend_id)
        record = next(item for item in authorities if item.id == ca.id)
        base = backend.settings.get("status_url") or self._cas.issuers.public_url
        return self._detail(ca, crosses, record, base)

    @get(
        "/{id:int}/certificate",
        action="private_cas.view",
        summary="Download a CA's certificate",
        returns=RawResponse,
        media_type=_CER,
    )
    async def certificate(self, call: Call[None, None]) -> RawResponse:
        """Return the certificate as DER, in a file that trust stores open."""
        ca, _ = await self._cas.get(call.int_path("id"))
        return RawResponse(ca.certificate, _CER, filename=f"{ca.slug}.cer")

    @get(
        "/{id:int}/cross-certificates/{cross:int}",
        action="private_cas.view",
        summary="Download a cross-certificate",
        returns=RawResponse,
        media_type=_CER,
    )
    async def cross_certificate(self, call: Call[None, None]) -> RawResponse:
        """Return a cross-certificate of the CA as DER."""
        ca, crosses = await self._cas.get(call.int_path("id"))
        found = next((item for item in crosses if item.id == call.int_path("cross")), None)
        if found is None:
            raise PrivateCaNotFound("the CA has no such cross-certificate")
        name = f"{ca.slug}-{found.kind.replace('_', '-')}.cer"
        return RawResponse(found.certificate, _CER, filename=name)

    @post(
        "/{id:int}/rollover",
        action="private_cas.edit",
        summary="Give a CA a new key",
        body=RolloverRequest,
        returns=PrivateCaView,
        status=201,
    )
    async def rollover(self, call: Call[RolloverRequest, None]) -> PrivateCaView:
        """Make the new key, which takes over; under an offline root a signing request comes first."""
        body = call.body
        choice = RolloverChoice(
            key_type="" if body.key_type is None else body.key_type.value,
            key_store=body.key_store,
            days=body.days,
        )
        ca_id, request_id = await self._rollover.roll_over(
            call.int_path("id"), choice, principal=call.principal
        )
        if ca_id is not None:
            return await self._one(ca_id)
        async with self._cas.db.read() as session:
            return request_view(await store.request(session, request_id or 0))

    @post(
        "/{id:int}/trial",
        action="private_cas.edit",
        summary="Extend, end or leave a CA's trial",
        body=TrialChange,
        returns=PrivateCaView,
    )
    async def trial(self, call: Call[TrialChange, None]) -> PrivateCaView:
        """Change the trial of a CA."""
        await self._cas.change_trial(
            call.int_path("id"), action=call.body.action, days=call.body.days, principal=call.principal
        )
        return await self._one(call.int_path("id"))

    @post(
        "/{id:int}/revoke",
        action="private_cas.edit",
        summary="Revoke an issuing CA",
        body=CaRevocation,
        returns=PrivateCaView,
    )
    async def revoke(self, call: Call[CaRevocation, None]) -> PrivateCaView:
        """Put the CA's certificate on its root's list; it issues no more."""
        await self._cas.revoke(call.int_path("id"), reason=call.body.reason, principal=call.principal)
        return await self._one(call.int_path("id"))

    @post(
        "/{id:int}/crl",
        action="private_cas.edit",
        summary="Import a CRL of an offline CA",
        body=CrlImport,
        returns=PrivateCaView,
    )
    async def import_crl(self, call: Call[CrlImport, None]) -> PrivateCaView:
        """Publish a list that the offline CA made."""
        await self._offline.import_crl(call.int_path("id"), call.body.crl.encode(), principal=call.principal)
        return await self._one(call.int_path("id"))

    @get(
        "/requests/{id:int}/csr",
        action="private_cas.edit",
        summary="Download a CA's signing request",
        returns=RawResponse,
        media_type="application/pkcs10",
    )
    async def csr(self, call: Call[None, None]) -> RawResponse:
        """Return the request as PEM; the ceremony log notes who took it."""
        request_id = call.int_path("id")
        csr = await self._offline.export(request_id, principal=call.principal)
        return RawResponse(csr_pem(csr), "application/pkcs10", filename=f"ca-request-{request_id}.csr")

    @post(
        "/requests/{id:int}/certificate",
        action="private_cas.edit",
        summary="Import the signed certificate of a signing request",
        body=SignedCertificate,
        returns=PrivateCaView,
        status=201,
    )
    async def import_signed(self, call: Call[SignedCertificate, None]) -> PrivateCaView:
        """Take the certificate that the offline root signed; the CA issues from then on."""
        return await self._one(
            await self._offline.import_signed(
                call.int_path("id"), call.body.certificate.encode(), principal=call.principal
            )
        )

    @delete("/requests/{id:int}", action="private_cas.edit", summary="Withdraw a signing request", status=204)
    async def withdraw(self, call: Call[None, None]) -> None:
        """Forget a signing request and its key."""
        await self._offline.withdraw(call.int_path("id"), principal=call.principal)

    async def _one(self, ca_id: int) -> PrivateCaView:
        return self._view((await self._cas.get(ca_id))[0])

    def _view(self, ca: PrivateCa) -> PrivateCaView:
        return PrivateCaView(**self._fields(ca))

    def _fields(self, ca: PrivateCa) -> dict[str, Any]:
        facts = parse_certificate(ca.certificate)
        return {
            "id": ca.id,
            "name": ca.name,
            "role": ca.role,
            "state": ca.state(self._cas.db.clock()),
            "in_trial": ca.trial_until is not None,
            "trial_until": ca.trial_until,
            "subject": facts.subject,
            "key_type": facts.key_type,
            "key_store": ca.key_store,
            "signature_algorithm": ca.signature_algorithm or facts.signature_algorithm,
            "serial": facts.serial,
            "not_after": ca.not_after,
            "parent_id": ca.parent_id,
            "backend_id": ca.backend_id,
            "created_at": ca.created_at,
        }

    def _detail(
        self, ca: PrivateCa, crosses: Sequence[CrossCertificate], record: AuthorityRecord, base: str
    ) -> PrivateCaDetail:
        facts = parse_certificate(ca.certificate)
        addresses = StatusAddresses(
            base=base, slug=ca.slug, shards=record.crl_shards, crl_base=record.crl_base
        )
        crl = record.crls[0] if record.crls else None
        return PrivateCaDetail(
            **self._fields(ca),
            **limits(ca.certificate),
            issuer=facts.issuer,
            not_before=ca.not_before,
            sha256=facts.sha256,
            public_key_sha256=facts.spki_sha256,
            certificate_url=addresses.certificate_url,
            crl_url=addresses.crl_url(addresses.numbers[0]),
            crl_number=None if crl is None else crl.number,
            crl_next_update=None if crl is None else crl.next_update,
            cross_certificates=[cross_view(item) for item in crosses],
        )
