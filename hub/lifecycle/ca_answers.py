"""Asking CAs about orders, and judging what they answer before anything of it is believed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.db.errors import BackendRefused, HubError, PolicyViolation, Unavailable
from hub.issuers.contract import CaBackend, Issued, Pending, Refused, SubmitOutcome
from hub.issuers.errors import NotOrdered
from hub.lifecycle.backend_choice import ABSENT_BACKEND_S, Later
from hub.lifecycle.orders import OrderRow, stored_order
from pki.certificates import CertificateFacts, parse_certificate
from pki.errors import PkiError

WRONG_CERTIFICATE = "CaAnsweredWrongCertificate"
ASK_LIMIT_S = 60.0
"""After this a CA's answer is no longer waited for; the order is looked up the next time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedRow:
    """A certificate that a CA issued for a row, read and found to be the one that was ordered."""

    row: OrderRow
    facts: CertificateFacts
    issued: Issued


@dataclass(slots=True)
class Answers:
    """What CAs answered. ``faults``: by backend, why it could not be asked; empty where it could."""

    issued: list[IssuedRow] = field(default_factory=list)
    others: list[tuple[OrderRow, Pending | Refused | Later]] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)

    def add(self, row: OrderRow, answer: SubmitOutcome | Later, *, at: datetime) -> None:
        """Sort an answer in, once it is judged."""
        backend_id = row.backend_id or 0
        if isinstance(answer, Later):
            if answer.asked:
                self.faults.setdefault(backend_id, answer.message)
            self.others.append((row, answer))
            return
        # One order that got through shows that the CA is there.
        self.faults[backend_id] = ""
        judged = judge(row, answer, at=at) if isinstance(answer, Issued) else answer
        if isinstance(judged, IssuedRow):
            self.issued.append(judged)
        else:
            self.others.append((row, judged))


def judge(row: OrderRow, issued: Issued, *, at: datetime) -> IssuedRow | Refused:
    """Return the certificate, or why it is not the one that was ordered."""
    try:
        facts = parse_certificate(issued.chain[0])
    except (PkiError, IndexError) as fault:
        return _wrong(f"unreadable: {fault}")
    if row.spki_sha256 and facts.spki_sha256 != row.spki_sha256:
        return _wrong("the CA's certificate holds another key than the signing request")
    missing = sorted(_names(row) - {name.lower() for name in (*facts.dns_names, *facts.ip_addresses)})
    if missing:
        return _wrong(f"the CA's certificate lacks {', '.join(missing[:5])}")
    if facts.not_after <= at:
        return _wrong(f"the CA's certificate ended on {facts.not_after:%Y-%m-%d %H:%M} UTC")
    return IssuedRow(row=row, facts=facts, issued=issued)


def _wrong(message: str) -> Refused:
    return Refused(reason=WRONG_CERTIFICATE, message=message, invalid=True)


def _names(row: OrderRow) -> set[str]:
    return {str(name).lower() for name in (*row.dns_names, *row.ip_addresses)}


def is_remote(row: OrderRow) -> bool:
    """Tell whether the order goes to a CA elsewhere: one that signs here fixes the serial number before."""
    return row.intent is not None and row.intent["serial_hex"] is None


async def ask(
    rows: Sequence[OrderRow], backends: Mapping[int, CaBackend | HubError], *, down: Iterable[int] = ()
) -> list[tuple[OrderRow, SubmitOutcome | Later]]:
    """Ask CAs about orders, all at the same time.

    Of a CA that is ``down`` one order is asked about first, so that the others don't wait for it in vain.
    """
    waiting = set(down)
    first: dict[int | None, OrderRow] = {}
    for row in rows:
        if row.backend_id in waiting:
            first.setdefault(row.backend_id, row)
    probed = await _ask_all(list(first.values()), backends)
    dead = {row.backend_id: reply for row, reply in probed if isinstance(reply, Later)}
    done = {row.id for row, _reply in probed}
    spared = [row for row in rows if row.id not in done and row.backend_id in dead]
    rest = [row for row in rows if row.id not in done and row.backend_id not in dead]
    # Where one order certainly was not placed, others may have been.
    unasked = [(row, replace(dead[row.backend_id], not_ordered=False, asked=False)) for row in spared]
    return [*probed, *unasked, *await _ask_all(rest, backends)]


async def _ask_all(
    rows: Sequence[OrderRow], backends: Mapping[int, CaBackend | HubError]
) -> list[tuple[OrderRow, SubmitOutcome | Later]]:
    replies = await asyncio.gather(*(_ask(row, backends[row.backend_id or 0]) for row in rows))
    return list(zip(rows, replies, strict=True))


async def _ask(row: OrderRow, backend: CaBackend | HubError) -> SubmitOutcome | Later:
    if isinstance(backend, HubError):
        return Later(message=backend.message, retry_after_s=ABSENT_BACKEND_S, asked=False)
    order, intent = stored_order(row)
    try:
        async with asyncio.timeout(ASK_LIMIT_S if is_remote(row) else None):
            return await backend.submit(order, intent)
    except TimeoutError:
        return Later(message=f"the CA did not answer within {ASK_LIMIT_S:.0f} s", retry_after_s=5)
    except NotOrdered as fault:
        return Later(message=fault.message, retry_after_s=fault.retry_after_s, not_ordered=True)
    except (PolicyViolation, BackendRefused, PkiError) as fault:
        return Refused(reason=type(fault).__name__, message=str(fault), invalid=False)
    except Unavailable as fault:
        return Later(message=fault.message, retry_after_s=fault.retry_after_s)
