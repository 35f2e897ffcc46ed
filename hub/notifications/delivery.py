"""The worker that hands messages over: claim, send, record.

Never twice. What happened, to whom and through what makes a key that the queue holds once. A claim is
committed before anything is sent, and its lease outlives the attempt, so no second worker sends the same
while this one lives. When it dies in between, or an answer gets lost, nobody knows whether the message
arrived: :func:`hub.notifications.states.after_unknown_outcome` decides, and the id stays the same.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

import structlog

from hub.db.errors import HubError
from hub.db.uow import Database, UnitOfWork
from hub.notifications import queue
from hub.notifications.catalog import TYPES
from hub.notifications.channel_store import ChannelStore
from hub.notifications.composing import compose
from hub.notifications.errors import NotDelivered, OutcomeUnknown
from hub.notifications.notifiers.contract import Notifier, Receipt
from hub.notifications.planning import EMAIL
from hub.notifications.queue import Held
from hub.notifications.states import DeliveryEvent, after_unknown_outcome
from pki.errors import UnwrapError, WrongEncryptionKey

POLL_S = 5.0
SEND_TIMEOUT_S = 90.0
BURST = 10
"""More messages than this to one recipient at once go out as one, digest or not."""
_UNREACHABLE_DELAY_S = 60.0
_log = structlog.get_logger(__name__)


class Delivery:
    """Sends what is due, until cancelled; any number of replicas may run one."""

    def __init__(self, db: Database, store: ChannelStore, *, mail: Notifier | None, base_url: str) -> None:
        """``mail`` is the hub's own mail server, if it has one."""
        self._db = db
        self._store = store
        self._mail = mail
        self._base_url = base_url

    async def run(self) -> None:
        """Work until cancelled; woken by notices and by the clock."""
        async with self._db.notifier.subscribe(queue.CHANNEL) as notices:
            while True:
                notices.drain()
                try:
                    done = await self.run_once()
                except Exception as error:  # noqa: BLE001 - a job's border
                    _log.warning(
                        "notification_delivery_failed", error=str(error), error_type=type(error).__name__
                    )
                    done = 0
                if not done:
                    await notices.get(timeout_s=POLL_S)

    async def run_once(self) -> int:
        """Send what is due now; return how many messages were taken up."""
        await self.recover()
        held = await queue.claim(self._db)
        by_channel = {
            channel: list(some) for channel, some in groupby(sorted(held, key=_channel_key), key=_channel_key)
        }
        await asyncio.gather(*(self._through(some) for some in by_channel.values()))
        return len(held)

    async def recover(self) -> int:
        """Decide about messages whose worker died while it held them."""
        async with self._db.write() as uow:
            found = await queue.abandoned(uow)
        for each in _groups(found):
            kind = self._store.kinds.get(each[0].channel_kind)
            why = ("WorkerDied", "the hub ended while it was sending")
            await self._unknown(each, told_apart=kind is not None and kind.told_apart, why=why)
        return len(found)

    async def _through(self, held: list[Held]) -> None:
        """Send messages of one channel, one after the other; stop asking when nobody is there."""
        notifier, why = await self._notifier(held[0])
        away: NotDelivered | None = None
        for group in _groups(held):
            if notifier is None:
                async with self._db.write() as uow:
                    await queue.suppressed(uow, group, why=why)
            elif self._db.clock() + timedelta(seconds=SEND_TIMEOUT_S) > group[0].lease:
                # The others took so long that the lease would end in the middle: back into the queue.
                async with self._db.write() as uow:
                    await queue.postponed(uow, group, why=("", ""), delay_s=0, counts=False)
            elif away is not None:
                await self._postpone(group, away, counts=False)
            else:
                away = await self._send(notifier, group)

    async def _notifier(self, first: Held) -> tuple[Notifier | None, tuple[str, str]]:
        if first.channel_id is None:
            gone = ("NoMailServer", "the hub has no mail server")
            return (self._mail if first.channel_kind == EMAIL else None), gone
        try:
            async with self._db.read() as session:
                found = await self._store.open(session, first.channel_id)
        except (HubError, UnwrapError, WrongEncryptionKey) as error:
            return None, ("ChannelUnusable", str(error))
        return found, ("ChannelDisabled", "the channel is switched off or gone")

    async def _send(self, notifier: Notifier, group: Sequence[Held]) -> NotDelivered | None:
        """Send a group as one message; return the fault if nobody else will get through either."""
        if len(group) > 1 and not await queue.bind(self._db, group, _batch_name(group)):
            return None
        message = compose(group, batch=_batch_name(group) if len(group) > 1 else "", base_url=self._base_url)
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                receipt = await notifier.send(message)
        except NotDelivered as fault:
            await self._refused(group, fault)
            return fault if fault.unreachable else None
        except (OutcomeUnknown, TimeoutError) as fault:
            why = ("OutcomeUnknown", str(fault) or "no answer in time")
            await self._unknown(group, told_apart=notifier.told_apart, why=why)
            return None
        except Exception as error:  # noqa: BLE001 - a plug-in's border: what it did, nobody knows
            _log.error("notifier_failed", kind=group[0].channel_kind, exc_info=error)
            why = ("NotifierFailed", f"{type(error).__name__}: {error}")
            await self._unknown(group, told_apart=notifier.told_apart, why=why)
            return None
        await self._taken(group, receipt)
        return None

    async def _taken(self, group: Sequence[Held], receipt: Receipt) -> None:
        async with self._db.write() as uow:
            if not await queue.delivered(uow, group, receipt=receipt.text):
                _log.warning("notification_lease_lost", ids=[each.id for each in group])
            if group[0].channel_id is not None:
                await self._store.set_problem(uow, group[0].channel_id, "")

    async def _refused(self, group: Sequence[Held], fault: NotDelivered) -> None:
        _log.info("notification_not_delivered", ids=[each.id for each in group], reason=fault.reason)
        if not fault.permanent:
            await self._postpone(group, fault)
            return
        async with self._db.write() as uow:
            await queue.given_up(uow, group, why=(fault.reason, str(fault)))
            await self._problem(group, fault, uow=uow)

    async def _postpone(self, group: Sequence[Held], fault: NotDelivered, *, counts: bool = True) -> None:
        delay = fault.retry_after_s
        if delay is None and not counts:
            delay = _UNREACHABLE_DELAY_S
        async with self._db.write() as uow:
            why = (fault.reason, str(fault))
            await queue.postponed(uow, group, why=why, delay_s=delay, counts=counts)
            await self._problem(group, fault, uow=uow)

    async def _problem(self, group: Sequence[Held], fault: NotDelivered, *, uow: UnitOfWork) -> None:
        if group[0].channel_id is not None:
            await self._store.set_problem(uow, group[0].channel_id, f"{fault.reason}: {fault}")

    async def _unknown(self, group: Sequence[Held], *, told_apart: bool, why: tuple[str, str]) -> None:
        critical = any(each.type in TYPES and TYPES[each.type].critical for each in group)
        event = after_unknown_outcome(critical=critical, told_apart=told_apart)
        async with self._db.write() as uow:
            if event is DeliveryEvent.POSTPONE:
                await queue.postponed(uow, group, why=why, delay_s=None)
            else:
                await queue.lost(uow, group, why=why)


def _channel_key(held: Held) -> tuple[str, int]:
    return held.channel_kind, held.channel_id or 0


def _groups(held: Sequence[Held]) -> list[list[Held]]:
    """Return messages by what goes out together: batches, and bursts to one recipient."""
    batches: dict[tuple[object, ...], list[Held]] = {}
    ways: dict[tuple[object, ...], list[Held]] = {}
    for each in held:
        if each.batch:
            batches.setdefault((each.batch, each.lease), []).append(each)
        else:
            ways.setdefault((*each.way, each.lease), []).append(each)
    groups = list(batches.values())
    for some in ways.values():
        # What was sent again by a person, or tried before, goes on alone under its own id.
        fresh = [each for each in some if each.edition == 1 and each.attempts == 0]
        if len(fresh) > BURST:
            groups.append(fresh)
            some = [each for each in some if each not in fresh]  # noqa: PLW2901 - what is left
        groups += [[each] for each in some]
    return groups


def _batch_name(group: Sequence[Held]) -> str:
    if group[0].batch:
        return group[0].batch
    return hashlib.sha256("\x00".join(each.dedupe_key for each in group).encode()).hexdigest()[:32]
