"""An order's way through an ACME server (RFC 8555, 7.1.6), in steps that are each committed before the next.

Every step first asks the CA how things stand and then does what is missing, so that repeating one, after a
crash or a lost answer, changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from hub.issuers.acme.challenges import choose, failure_key, presented
from hub.issuers.acme.client import AcmeClient, Signer
from hub.issuers.acme.documents import ANSWER, AUTHORIZE, CREATE, FINALIZE, PRESENT, OrderState
from hub.issuers.acme.downloading import download
from hub.issuers.acme.errors import CaRefused, Problem
from hub.issuers.acme.jws import b64u
from hub.issuers.acme.objects import Authorization, Order, read_authorization, read_json, read_order
from hub.issuers.acme.ordering import Attempt, NoOrderYet, Ordering
from hub.issuers.acme.presenting import CannotPresent, Presenter
from hub.issuers.acme.settings import AcmeSettings
from hub.issuers.contract import CertificateOrder, Issued, Pending, Refused, SubmitOutcome

POLL_S = 3
_AGENT_POLL_S = 2
_NOTHING_FINAL = frozenset({AUTHORIZE, PRESENT, ANSWER})
# What orders that are gone are counted under, beside the failures of ways to prove names.
_ORDER = "order"
# The order was wrong, rather than forbidden (RFC 8555, 6.7).
_WRONG_ORDER = frozenset(
    {
        "badCSR",
        "badPublicKey",
        "badSignatureAlgorithm",
        "malformed",
        "unsupportedIdentifier",
        "invalidProfile",
    }
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The CA, and who the hub is to it."""

    client: AcmeClient
    signer: Signer

    async def order(self, url: str) -> tuple[Order, int]:
        """Return an order, and when to ask again."""
        reply = await self.client.post(url, None, self.signer)
        return read_order(read_json(reply.body)), self.client.retry_after_s(reply, POLL_S)

    async def authorizations(self, order: Order) -> list[tuple[str, Authorization]]:
        """Return an order's authorizations with their addresses."""
        replies = await asyncio.gather(
            *(self.client.post(url, None, self.signer) for url in order.authorizations)
        )
        found = [read_authorization(read_json(reply.body)) for reply in replies]
        return list(zip(order.authorizations, found, strict=True))


def refused(problem: Problem) -> Refused:
    """Return the CA's no."""
    return Refused(
        reason=problem.kind or "CaRefused", message=problem.detail, invalid=problem.kind in _WRONG_ORDER
    )


class OrderTracker:
    """Does the next steps of an order, as far as they need no commit in between."""

    def __init__(self, settings: AcmeSettings, *, ordering: Ordering, presenter: Presenter) -> None:
        self._settings = settings
        self._ordering = ordering
        self._presenter = presenter

    async def advance(
        self, talk: Conversation, order: CertificateOrder, state: OrderState, *, fresh: bool
    ) -> SubmitOutcome:
        """Go on with an order. Raises CaUnreachable, AccountNotUsable and what presenting raises."""
        try:
            if state.phase == CREATE:
                return await self._create(talk, order, state, fresh=fresh)
            step: dict[str, Callable[[], Coroutine[None, None, SubmitOutcome]]] = {
                AUTHORIZE: lambda: self._authorize(talk, state),
                PRESENT: lambda: self._present(talk, state),
                ANSWER: lambda: self._answer(talk, state),
                FINALIZE: lambda: self._finalize(talk, order, state),
            }
            return await step[state.phase]()
        except CaRefused as fault:
            if fault.problem.kind == "accountDoesNotExist":
                raise
            await self._presenter.withdraw(state.presented)
            if fault.problem.status == 404 and state.phase in _NOTHING_FINAL:
                return self._gone(state, fault.problem)
            return refused(fault.problem)

    async def _create(
        self, talk: Conversation, order: CertificateOrder, state: OrderState, *, fresh: bool
    ) -> SubmitOutcome:
        url = await self._ordering.make(
            talk.client,
            talk.signer,
            order,
            attempt=Attempt(key=state.key, replaces=state.replaces, fresh=fresh),
        )
        if isinstance(url, NoOrderYet):
            return _pending(state, url.retry_after_s, url.message)
        return _pending(state.to(AUTHORIZE, order=url), 0, "the CA has the order")

    async def _authorize(self, talk: Conversation, state: OrderState) -> SubmitOutcome:
        order, retry_s = await talk.order(state.order)
        if order.status == "invalid":
            return await self._invalid(talk, state, order)
        if order.status != "pending":
            return _pending(state.to(FINALIZE), 0, "all names are proven")
        items = []
        for _, authorization in await talk.authorizations(order):
            if authorization.status != "pending":
                continue
            challenge = choose(
                authorization,
                self._settings.challenges,
                failures=state.failures,
                attempts=self._settings.validation_attempts,
            )
            if challenge is None:
                return _no_way(authorization, state)
            items.append(presented(authorization, challenge, talk.signer.key.thumbprint))
        if not items:
            return _pending(state, max(1, retry_s), "the CA is checking names")
        return _pending(state.to(PRESENT, presented=tuple(items)), 0, "showing proofs of control")

    async def _present(self, talk: Conversation, state: OrderState) -> SubmitOutcome:
        found = await self._presenter.present(state.presented)
        if found.failed:
            return await self._another_way(talk, state, found.failed)
        if found.waiting:
            names = ", ".join(item.identifier for item in found.waiting[:5])
            return _pending(state, _AGENT_POLL_S, f"waiting for the agent that answers for {names}")
        written = any(item.type == "dns-01" for item in state.presented)
        pause = self._settings.propagation_s if written else 0
        return _pending(state.to(ANSWER), pause, "waiting for DNS records to be seen")

    async def _another_way(
        self, talk: Conversation, state: OrderState, failed: tuple[CannotPresent, ...]
    ) -> SubmitOutcome:
        await self._presenter.withdraw(state.presented)
        counts = dict(state.failures)
        order, _ = await talk.order(state.order)
        by_name = {
            (item.identifier.value, item.wildcard): item for _, item in await talk.authorizations(order)
        }
        for problem in failed:
            authorization = by_name.get((problem.item.identifier, False))
            if authorization is not None:
                # This way is shut, however often it may be tried.
                counts[failure_key(authorization, problem.item.type)] = self._settings.validation_attempts
        text = f"{failed[0].reason}: {failed[0].message}"
        changed = state.to(AUTHORIZE, presented=(), failures=counts, last_error=text)
        return _pending(changed, 0, text)

    async def _answer(self, talk: Conversation, state: OrderState) -> SubmitOutcome:
        order, retry_s = await talk.order(state.order)
        if order.status == "invalid":
            return await self._invalid(talk, state, order)
        if order.status != "pending":
            await self._presenter.withdraw(state.presented)
            return _pending(state.to(FINALIZE, presented=()), 0, "all names are proven")
        shown = {(item.type, item.token) for item in state.presented}
        authorizations = await talk.authorizations(order)
        if any(item.status == "invalid" for _, item in authorizations):
            return await self._invalid(talk, state, order)
        for _, authorization in authorizations:
            for challenge in authorization.challenges:
                ours = (challenge.type, challenge.token) in shown
                if ours and challenge.status == "pending" and authorization.status == "pending":
                    await talk.client.post(challenge.url, {}, talk.signer)
        return _pending(state, max(1, retry_s), "the CA is checking names")

    async def _invalid(self, talk: Conversation, state: OrderState, order: Order) -> SubmitOutcome:
        await self._presenter.withdraw(state.presented)
        failed: list[str] = []
        text = order.error.text() if order.error else ""
        reason = order.error.kind if order.error else ""
        for _, authorization in await talk.authorizations(order):
            for challenge in authorization.challenges:
                if challenge.status == "invalid" and challenge.error is not None:
                    failed.append(failure_key(authorization, challenge.type))
                    text = f"{authorization.identifier.value}: {challenge.error.text()}"
                    reason = challenge.error.kind
        if not failed:
            if order.error is None and state.phase in _NOTHING_FINAL:
                return self._gone(state, Problem(kind="OrderInvalid", detail="the CA has ended the order"))
            # Refused for a reason that no other proof would mend.
            message = text or "the CA has ended the order without a reason"
            return Refused(reason=reason or "OrderInvalid", message=message, invalid=reason in _WRONG_ORDER)
        again = state.again(failed, text)
        return _pending(again, POLL_S, f"the CA did not accept the proof, trying again: {text}")

    def _gone(self, state: OrderState, problem: Problem) -> SubmitOutcome:
        # It has expired while it waited, say for a DNS writer; nothing was issued on it.
        if state.failures.get(_ORDER, 0) >= self._settings.validation_attempts:
            return refused(problem)
        again = state.again([_ORDER], problem.text())
        return _pending(again, POLL_S, f"the CA's order is gone, making another: {problem.text()}")

    async def _finalize(
        self, talk: Conversation, order: CertificateOrder, state: OrderState
    ) -> SubmitOutcome:
        found, retry_s = await talk.order(state.order)
        if found.status == "ready":
            reply = await talk.client.post(found.finalize, {"csr": b64u(order.csr)}, talk.signer)
            found = read_order(read_json(reply.body))
            retry_s = talk.client.retry_after_s(reply, POLL_S)
        if found.status == "invalid":
            return await self._invalid(talk, state, found)
        if found.status == "valid" and found.certificate:
            chain = await download(
                talk.client, talk.signer, found.certificate, preferred=self._settings.preferred_chain
            )
            return Issued(chain=chain, order_number=_number(state.order))
        if found.status == "pending":
            return _pending(state.to(AUTHORIZE), POLL_S, "the CA wants names proven again")
        return _pending(state, max(1, retry_s), "the CA is issuing the certificate")


def _no_way(authorization: Authorization, state: OrderState) -> Refused:
    name = ("*." if authorization.wildcard else "") + authorization.identifier.value
    offered = ", ".join(sorted({challenge.type for challenge in authorization.challenges}))
    tried = f"; last: {state.last_error}" if state.last_error else ""
    return Refused(
        reason="NoChallengeLeft",
        message=f"no way that is set up proves control of {name}; the CA offers {offered}{tried}",
        invalid=False,
    )


def _number(url: str) -> str:
    return url.rstrip("/").rsplit("/", 1)[-1][:64]


def _pending(state: OrderState, retry_after_s: int, waits_for: str) -> Pending:
    return Pending(
        order_number=_number(state.order),
        retry_after_s=retry_after_s,
        document=state.dump(),
        waits_for=waits_for,
    )
