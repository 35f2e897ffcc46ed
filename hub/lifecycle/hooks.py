"""What rooms above are told in the very transaction that records it: issued, renewal ended, installed.

The outbox is for whoever may come later; these handlers are part of the change itself, so that nothing is
scheduled without being issued, or the other way round. A handler that raises undoes the transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.lifecycle.states import InstallState, RenewalState

ISSUED = "CertificateIssued"
RENEWAL_STARTED = "RenewalStarted"
RENEWAL_ENDED = "RenewalFinished"
INSTALL_ENDED = "InstallFinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalStarted:
    """A certificate's renewal began: ``successor_id`` was asked for, or is installed once more."""

    certificate_id: int
    successor_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalEnded:
    """A certificate's renewal succeeded or failed.

    ``reason`` is the stable word of whoever failed and ``stage`` where: request, key, order, answer, install.
    What is added to ``data`` goes out with the event.
    """

    certificate_id: int
    successor_id: int | None
    succeeded: bool
    reason: str = ""
    message: str = ""
    stage: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallEnded:
    """An installation ended, successfully or not, or wants a server restarted."""

    certificate_id: int
    state: InstallState
    reason: str = ""
    message: str = ""


IssuedHandler = Callable[[UnitOfWork, Sequence[int]], Awaitable[None]]
StartedHandler = Callable[[UnitOfWork, RenewalStarted], Awaitable[None]]
RenewalHandler = Callable[[UnitOfWork, RenewalEnded], Awaitable[None]]
InstallHandler = Callable[[UnitOfWork, InstallEnded], Awaitable[None]]


def on_issued(db: Database, handler: IssuedHandler) -> None:
    """Call ``handler`` with the ids of all certificates that one transaction records as issued."""

    async def follow(uow: UnitOfWork, events: Sequence[Event]) -> None:
        await handler(uow, [int(event.object_id) for event in events])

    db.follow((ISSUED,), follow)


def on_renewal_started(db: Database, handler: StartedHandler) -> None:
    """Call ``handler`` for each certificate whose renewal starts, whoever asked for it."""

    async def follow(uow: UnitOfWork, events: Sequence[Event]) -> None:
        for event in events:
            started = RenewalStarted(
                certificate_id=int(event.object_id), successor_id=event.data.get("renewal")
            )
            await handler(uow, started)

    db.follow((RENEWAL_STARTED,), follow)


def on_renewal_ended(db: Database, handler: RenewalHandler) -> None:
    """Call ``handler`` for each certificate whose renewal succeeds or fails."""

    async def follow(uow: UnitOfWork, events: Sequence[Event]) -> None:
        for event in events:
            await handler(uow, _ended(event))

    db.follow((RENEWAL_ENDED,), follow)


def on_install_ended(db: Database, handler: InstallHandler) -> None:
    """Call ``handler`` for each certificate whose installation ends."""

    async def follow(uow: UnitOfWork, events: Sequence[Event]) -> None:
        for event in events:
            ended = InstallEnded(
                certificate_id=int(event.object_id),
                state=InstallState(event.data["install_state"]),
                reason=event.data.get("reason", ""),
                message=event.data.get("message", ""),
            )
            await handler(uow, ended)

    db.follow((INSTALL_ENDED,), follow)


def _ended(event: Event) -> RenewalEnded:
    data = event.data
    return RenewalEnded(
        certificate_id=int(event.object_id),
        successor_id=data.get("renewal", data.get("renewed_by")),
        succeeded=data["renewal_state"] == RenewalState.SUCCESSFUL,
        reason=data.get("reason", ""),
        message=data.get("message", ""),
        stage=data.get("stage", ""),
        data=data,
    )
