"""A CA that speaks ACME (RFC 8555) as a backend: Let's Encrypt and many others, public and private."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cached_property
from typing import Self

from cryptography import x509
from pydantic import BaseModel

from hub.db.clock import Clock
from hub.issuers.acme.accounts import Account
from hub.issuers.acme.challenges import usable
from hub.issuers.acme.client import AcmeClient, NoncePool
from hub.issuers.acme.documents import CREATE, OrderState
from hub.issuers.acme.errors import AccountNotUsable, CaRefused, CaUnreachable
from hub.issuers.acme.jws import b64u
from hub.issuers.acme.objects import read_json
from hub.issuers.acme.ordering import FreshOrders, Ordering, identifiers_of
from hub.issuers.acme.presenting import Presenter
from hub.issuers.acme.renewal_info import DEFAULT_RETRY_S, certificate_id, read_renewal_info
from hub.issuers.acme.request_names import differing_names
from hub.issuers.acme.settings import AcmeSettings
from hub.issuers.acme.tracking import Conversation, OrderTracker, refused
from hub.issuers.acme.transport import open_transport, tls_context
from hub.issuers.contract import (
    BackendContext,
    CertificateOrder,
    Intent,
    Issued,
    Keepsakes,
    RenewalInfo,
    SubmitOutcome,
)
from hub.issuers.errors import NotOrdered, OrderImpossible
from pki.crls import RevocationReason
from pki.findings import Finding

_LEAF = "leaf:"
# Of the whole process: a backend is opened anew every few seconds.
_FRESH = FreshOrders()
# Longer than any public certificate lives; revoking one that has ended is pointless.
_KEEP_LEAVES = timedelta(days=825)
# RFC 5280, 5.3.1: the numbers that RFC 8555, 7.6 sends. certificateHold and removeFromCRL are not for leaves.
_REASON_CODES = {
    RevocationReason.UNSPECIFIED: 0,
    RevocationReason.KEY_COMPROMISE: 1,
    RevocationReason.AFFILIATION_CHANGED: 3,
    RevocationReason.SUPERSEDED: 4,
    RevocationReason.CESSATION_OF_OPERATION: 5,
    RevocationReason.PRIVILEGE_WITHDRAWN: 9,
}


class AcmeBackend:
    """Orders from an ACME server. Implements CaBackend, CanRevoke and HasRenewalInfo."""

    kind = "acme"
    display_name = "ACME (RFC 8555)"
    settings_model: type[BaseModel] = AcmeSettings

    def __init__(
        self,
        settings: AcmeSettings,
        *,
        backend_id: int,
        keepsakes: Keepsakes,
        presenter: Presenter,
        clock: Clock,
    ) -> None:
        self._backend_id = backend_id
        self._settings = settings
        self._keepsakes = keepsakes
        self._clock = clock
        self._nonces = NoncePool()
        self._account = Account(settings, keepsakes)
        ordering = Ordering(settings, account=self._account, keepsakes=keepsakes, clock=clock)
        self._tracker = OrderTracker(settings, ordering=ordering, presenter=presenter)

    @classmethod
    def open(cls, settings: BaseModel, context: BackendContext) -> Self:
        """Return the backend; it talks to nobody yet."""
        if not isinstance(settings, AcmeSettings) or context.keepsakes is None:
            raise TypeError("an ACME backend needs its own settings, and somewhere to keep its account")
        presenter = Presenter(settings, dns=context.dns, agents=context.agents)
        return cls(
            settings,
            backend_id=context.backend_id,
            keepsakes=context.keepsakes,
            presenter=presenter,
            clock=context.clock,
        )

    async def prepare(self, order: CertificateOrder) -> Intent:
        """Check that the order can be proven, and name it.

        Raises:
            OrderImpossible: no way that is set up can prove one of the names, or the request has others.
        """
        finding = self._cannot_be_proven(order) or differing_names(order)
        if finding is not None:
            raise OrderImpossible(finding)
        replaces = certificate_id(order.replaces) if order.replaces else ""
        state = OrderState(phase=CREATE, key=order.order_id, replaces=replaces)
        _FRESH.add(f"{self._backend_id} {state.key}")
        return Intent(serial_hex=None, document=state.dump())

    def _cannot_be_proven(self, order: CertificateOrder) -> Finding | None:
        names = identifiers_of(order)
        if not names or order.emails:
            return Finding("NamesNotSupported", "ACME certifies DNS names and IP addresses, at least one")
        if not self._settings.challenges:
            return None
        for name in names:
            wildcard = name.value.startswith("*.")
            if not any(usable(way, kind=name.type, wildcard=wildcard) for way in self._settings.challenges):
                needed = "dns-01" if wildcard else "http-01 or tls-alpn-01"
                return Finding("ChallengeMissing", f"{name.value} can be proven by {needed} only")
        return None

    async def submit(self, order: CertificateOrder, intent: Intent) -> SubmitOutcome:
        """Do the next steps of the order; see :mod:`hub.issuers.acme.tracking`.

        Raises:
            NotOrdered: the CA can't be used now, and has no order that anything will be issued on.
            CaUnreachable, AccountNotUsable: the CA can't be used now.
            Unavailable: a DNS writer or agent can't.
        """
        state = OrderState.load(intent.document)
        try:
            outcome = await self._advance(order, state)
        except (CaUnreachable, AccountNotUsable) as fault:
            if state.phase != CREATE:
                raise
            # Whatever became of a request for an order: nothing is issued on one that is never finalized.
            raise NotOrdered(fault.message, retry_after_s=fault.retry_after_s) from fault
        if isinstance(outcome, Issued):
            await self._keep_leaf(outcome.chain[0])
        return outcome

    async def _advance(self, order: CertificateOrder, state: OrderState) -> SubmitOutcome:
        fresh = _FRESH.take(f"{self._backend_id} {state.key}")
        async with self._talk() as talk:
            if isinstance(talk, CaRefused):
                return refused(talk.problem)
            return await self._tracker.advance(talk, order, state, fresh=fresh)

    async def test(self) -> None:
        """Fetch the directory and look up, or make, the account.

        Raises:
            CaRefused, CaUnreachable, AccountNotUsable: what is wrong.
        """
        async with self._client() as client:
            await self._account.signer(client)

    async def revoke(self, serial_hex: str, *, reason: str, at: datetime) -> None:
        """Revoke a certificate that was ordered here (RFC 8555, 7.6); repeating is no error.

        Raises:
            CaRefused, CaUnreachable: the CA does not, or not now.
        """
        del at
        certificate = await self._keepsakes.get(_LEAF + serial_hex.lower().lstrip("0"))
        if certificate is None:
            raise CaUnreachable(f"no certificate {serial_hex} was ordered here", retry_after_s=3600)
        code = _REASON_CODES.get(RevocationReason(reason), 0)
        async with self._client() as client:
            signer = await self._account.signer(client)
            url = (await client.directory()).revoke_cert
            try:
                await client.post(url, {"certificate": b64u(certificate), "reason": code}, signer)
            except CaRefused as fault:
                if fault.problem.kind == "badRevocationReason":
                    # Revoked without the right reason is better than not revoked.
                    await client.post(url, {"certificate": b64u(certificate)}, signer)
                elif fault.problem.kind != "alreadyRevoked":
                    raise

    async def renewal_info(self, certificate_der: bytes, issuer_der: bytes) -> RenewalInfo | None:
        """Ask when the CA would have a certificate renewed (RFC 9773); None where it does not say.

        Raises:
            CaUnreachable: it can't be asked now.
        """
        del issuer_der
        identifier = certificate_id(certificate_der)
        if not self._settings.use_renewal_info or not identifier:
            return None
        async with self._client() as client:
            base = (await client.directory()).renewal_info
            if not base:
                return None
            try:
                reply = await client.get(f"{base.rstrip('/')}/{identifier}")
            except CaRefused as fault:
                if fault.problem.status in {404, 410}:
                    return None
                raise CaUnreachable(fault.message, retry_after_s=DEFAULT_RETRY_S) from fault
            again_s = client.retry_after_s(reply, DEFAULT_RETRY_S)
            return read_renewal_info(read_json(reply.body), retry_after_s=again_s)

    async def roll_over_account_key(self) -> str:
        """Give the account a new key; return its thumbprint (RFC 8555, 7.3.5).

        Raises:
            CaRefused, CaUnreachable, AccountNotUsable: it can't be done, or not now.
        """
        async with self._client() as client:
            return await self._account.roll_over(client)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return tls_context(self._settings.ca_bundle)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AcmeClient]:
        settings = self._settings
        async with open_transport(self._tls, timeout_s=settings.timeout_s, proxy=settings.proxy) as transport:
            yield AcmeClient(
                transport, directory_url=settings.address, nonces=self._nonces, clock=self._clock
            )

    @asynccontextmanager
    async def _talk(self) -> AsyncIterator[Conversation | CaRefused]:
        async with self._client() as client:
            try:
                signer = await self._account.signer(client)
            except CaRefused as fault:
                yield fault
                return
            try:
                yield Conversation(client, signer)
            except CaRefused as fault:
                # accountDoesNotExist: made anew, with the same key, the next time.
                await self._account.forget_address()
                raise CaUnreachable(fault.message) from fault

    async def _keep_leaf(self, certificate: bytes) -> None:
        # Revoking wants the certificate itself; the hub's other rooms name it by its serial number.
        serial = format(x509.load_der_x509_certificate(certificate).serial_number, "x")
        await self._keepsakes.put_if_absent(_LEAF + serial, certificate)
        await self._keepsakes.drop_before(_LEAF, self._clock() - _KEEP_LEAVES)
