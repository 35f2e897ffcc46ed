"""Notifications: the room's way in. Rules, words, channels, what was sent, and everybody's own notices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.event_visibility import OBJECT_KINDS
from hub.access.policy import Target, authorize, require, require_object
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.notifications import queue, rule_store, templates
from hub.notifications.catalog import NotificationType
from hub.notifications.channel_store import EDIT as CHANNELS_EDIT
from hub.notifications.channel_store import ChannelFields, ChannelRecord, ChannelStore
from hub.notifications.defaults import install_defaults
from hub.notifications.delivery import Delivery
from hub.notifications.errors import (
    NoMailServer,
    NotDelivered,
    NotificationMoved,
    NotificationNotFound,
    ObjectNotFound,
    OutcomeUnknown,
    RuleInvalid,
)
from hub.notifications.intake import Intake
from hub.notifications.models import Notification
from hub.notifications.notifiers.contract import Message, Notifier, Receipt, Tools
from hub.notifications.notifiers.email import EmailNotifier, EmailSettings
from hub.notifications.notifiers.registry import Kinds
from hub.notifications.objects import ObjectFacts, describe
from hub.notifications.planning import CONSOLE, Occurrence, Settings, values_for
from hub.notifications.posting import Poster
from hub.notifications.rules import Rule, RuleFields, is_address
from hub.notifications.samples import sample
from hub.notifications.states import DeliveryEvent, DeliveryState, next_state
from hub.notifications.sweeps import Sweeps
from hub.notifications.templating import check, render_body, render_subject
from hub.organizations.dcv.addresses import Network
from pki.at_rest import KeyEncryptionKey

VIEW, RESEND = "notifications.view", "notifications.resend"
TEMPLATES_EDIT = "notification_templates.edit"
_N = Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationOptions:
    """What notifications are told by the configuration. ``smtp`` None: the hub sends no mail of its own."""

    base_url: str
    kinds: Kinds
    smtp: EmailSettings | None = None
    allowed_networks: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test: taken or not, and what the other side said."""

    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template, filled in."""

    subject: str
    body: str


class NotificationService:
    """Tells people."""

    def __init__(self, db: Database, kek: KeyEncryptionKey, options: NotificationOptions) -> None:
        self.db = db
        self.options = options
        poster = Poster(options.allowed_networks)
        self.channels = ChannelStore(
            options.kinds, kek, Tools(post=poster.post, dial=poster.dial, clock=db.clock)
        )
        self._mail: Notifier | None = None
        if options.smtp is not None:
            own = Poster(anywhere=True)
            tools = Tools(post=own.post, dial=own.dial, clock=db.clock)
            self._mail = EmailNotifier.open(options.smtp, tools)
        self._planning = Settings(
            base_url=options.base_url,
            has_mail_server=self._mail is not None,
            addressed_kinds=frozenset(name for name, kind in options.kinds.items() if kind.addressed),
        )

    @property
    def has_mail_server(self) -> bool:
        """Whether the hub's configuration names a mail server."""
        return self._mail is not None

    # ---- work

    def intake(self) -> Intake:
        """Return the job that takes events over into the queue."""
        return Intake(self.db, self._planning)

    def sweeps(self) -> Sweeps:
        """Return the job that looks at dates."""
        return Sweeps(self.db, self._planning)

    def delivery(self) -> Delivery:
        """Return the job that hands messages over."""
        return Delivery(self.db, self.channels, mail=self._mail, base_url=self.options.base_url)

    async def install_defaults(self, uow: UnitOfWork) -> int:
        """Make the rules of a new hub."""
        return await install_defaults(uow)

    # ---- rules

    async def rule(self, principal: Principal, rule_id: int) -> Rule:
        """Return a rule; raise RuleNotFound."""
        async with self.db.read() as session:
            return await rule_store.get(session, principal, rule_id)

    async def create_rule(self, principal: Principal, fields: RuleFields) -> int:
        """Keep a rule; raises as :func:`hub.notifications.rule_store.create` does."""
        async with self.db.write() as uow:
            return await rule_store.create(uow, fields, principal=principal)

    async def change_rule(self, principal: Principal, rule_id: int, fields: RuleFields) -> None:
        """Replace a rule."""
        async with self.db.write() as uow:
            await rule_store.change(uow, rule_id, fields, principal=principal)

    async def remove_rule(self, principal: Principal, rule_id: int) -> None:
        """Forget a rule."""
        async with self.db.write() as uow:
            await rule_store.remove(uow, rule_id, principal=principal)

    # ---- words

    async def chosen_templates(self, principal: Principal) -> list[templates.TemplateRecord]:
        """Return the words that were chosen for all, and those of the principal's organizations."""
        async with self.db.read() as session:
            records = await templates.chosen(session)
        return [
            record
            for record in records
            if record.key.organization_id is None
            or authorize(principal, VIEW, organization_id=record.key.organization_id).allowed
        ]

    async def choose_template(
        self, principal: Principal, key: templates.TemplateKey, *, subject: str, body: str
    ) -> None:
        """Set words; those for all are an MRAO's."""
        self._may_choose(principal, key)
        async with self.db.write() as uow:
            await templates.choose(uow, key, subject=subject, body=body, principal=principal)

    async def reset_template(self, principal: Principal, key: templates.TemplateKey) -> None:
        """Go back to the words behind."""
        self._may_choose(principal, key)
        async with self.db.write() as uow:
            await templates.reset(uow, key, principal=principal)

    def _may_choose(self, principal: Principal, key: templates.TemplateKey) -> None:
        if key.organization_id is None:
            # Everybody sees them.
            require(principal, TEMPLATES_EDIT, Target())
        else:
            target = Target(organization_id=key.organization_id)
            require_object(principal, TEMPLATES_EDIT, target, absent=ObjectNotFound)

    async def preview(
        self,
        principal: Principal,
        kind: NotificationType,
        *,
        words: tuple[str, str],
        object_id: str | None,
    ) -> Rendered:
        """Fill words with a real object, or with a sample.

        Raises:
            TemplateInvalid: the words name unknown variables.
            ObjectNotFound: there is no such object in the principal's scope.
        """
        check(*words, kind.variables)
        facts = sample(kind, self.db.clock())
        if object_id is not None:
            facts = await self._object(principal, kind, object_id)
        occurrence = Occurrence(
            kind=kind, object_id=facts.object_id, key="preview", at=self.db.clock(), data={}
        )
        values = values_for(occurrence, facts, self.options.base_url)
        return Rendered(render_subject(words[0], values), render_body(words[1], values))

    async def _object(self, principal: Principal, kind: NotificationType, object_id: str) -> ObjectFacts:
        async with self.db.read() as session:
            found = await describe(session, kind.object_type, [object_id], self.db.clock())
        facts = found.get(object_id)
        if facts is None:
            raise ObjectNotFound
        shown = OBJECT_KINDS.get(kind.object_type)
        action = shown.action if shown is not None else VIEW
        target = Target(
            organization_id=facts.organization_id,
            department_id=facts.department_id,
            certificate_type=facts.certificate_type,
            undivided=shown is not None and shown.undivided,
        )
        if not authorize(principal, action, target).allowed:
            raise ObjectNotFound
        return facts

    async def send_test(self, rendered: Rendered, *, to: str) -> Tried:
        """Mail a filled template through the hub's own mail server.

        Raises:
            NoMailServer, RuleInvalid: there is none; ``to`` is no address.
        """
        if self._mail is None:
            raise NoMailServer
        if not is_address(to):
            raise RuleInvalid(f"{to[:100]!r} is no mail address", field="to")
        now = self.db.clock()
        message = Message(
            id=f"test.{now.timestamp():.6f}",
            type="test",
            title="Test",
            severity="info",
            subject=f"[Test] {rendered.subject}",
            text=rendered.body,
            to=to,
            at=now,
        )
        return await _tried(self._mail.send(message))

    # ---- channels

    async def channel(self, principal: Principal, channel_id: int) -> ChannelRecord:
        """Return a channel; raise ChannelNotFound."""
        async with self.db.read() as session:
            return await self.channels.get(session, principal, channel_id)

    async def create_channel(self, principal: Principal, fields: ChannelFields) -> int:
        """Configure a channel."""
        async with self.db.write() as uow:
            return await self.channels.create(uow, fields, principal=principal)

    async def change_channel(self, principal: Principal, channel_id: int, fields: ChannelFields) -> None:
        """Change a channel."""
        async with self.db.write() as uow:
            await self.channels.change(uow, channel_id, fields, principal=principal)

    async def remove_channel(self, principal: Principal, channel_id: int) -> None:
        """Forget a channel."""
        async with self.db.write() as uow:
            await self.channels.remove(uow, channel_id, principal=principal)

    async def test_channel(self, principal: Principal, channel_id: int) -> Tried:
        """Try a channel, and note what came of it."""
        async with self.db.read() as session:
            await self.channels.get(session, principal, channel_id, action=CHANNELS_EDIT)
            notifier = await self.channels.open(session, channel_id)
        if notifier is None:
            return Tried(ok=False, message="the channel is switched off")
        tried = await _tried(notifier.check())
        async with self.db.write() as uow:
            await self.channels.set_problem(uow, channel_id, "" if tried.ok else tried.message)
        return tried

    # ---- what was sent

    async def resend(self, principal: Principal, notification_id: int) -> None:
        """Send a notification again, or after all, as a message of its own.

        Raises:
            NotificationNotFound, Forbidden: it is outside the principal's scope.
            DeliveryNotAllowed: it is on its way already.
        """
        async with self.db.write() as uow:
            row = await self._row(uow.session, notification_id)
            _require_row(principal, RESEND, row)
            if row.channel_kind == CONSOLE:
                raise NotificationNotFound
            state = next_state(DeliveryState(row.state), DeliveryEvent.RESEND)
            changed = await uow.session.execute(
                update(_N)
                .where(_N.id == notification_id, _N.state == row.state)
                .values(
                    state=state.value,
                    due_at=uow.now,
                    attempts=0,
                    batch="",
                    reason="",
                    message="",
                    edition=_N.edition + 1,
                )
                .returning(_N.id)
            )
            if changed.one_or_none() is None:
                raise NotificationMoved
            uow.notify(queue.CHANNEL)
            await audit.record(
                uow,
                principal=principal,
                action="NotificationResent",
                object_type="notification",
                object_id=str(notification_id),
                organization_id=row.organization_id,
                department_id=row.department_id,
                certificate_type=row.certificate_type,
                details={"type": row.type, "recipient": row.recipient},
            )

    async def read(self, principal: Principal, notification_id: int) -> Any:
        """Return one notification with its text; raise NotificationNotFound."""
        async with self.db.read() as session:
            row = await self._row(session, notification_id)
        _require_row(principal, VIEW, row)
        return row

    async def _row(self, session: AsyncSession, notification_id: int) -> Any:
        table: Any = _N.__table__
        row = (await session.execute(select(table).where(table.c.id == notification_id))).one_or_none()
        if row is None:
            raise NotificationNotFound
        return row

    # ---- one's own notices

    async def unread(self, principal: Principal) -> int:
        """Return how many of the principal's notices are unread."""
        async with self.db.read() as session:
            statement = (
                select(func.count()).select_from(_N).where(*own_notices(principal), _N.read_at.is_(None))
            )
            return (await session.execute(statement)).scalar_one()

    async def mark_read(self, principal: Principal, notice_id: int | None) -> int:
        """Mark one of the principal's notices as read, or all; return how many that changed."""
        async with self.db.write() as uow:
            statement = update(_N).where(*own_notices(principal), _N.read_at.is_(None))
            if notice_id is not None:
                await self._own(uow, principal, notice_id)
                statement = statement.where(_N.id == notice_id)
            changed = await uow.session.execute(statement.values(read_at=uow.now).returning(_N.id))
            return len(changed.all())

    async def dismiss(self, principal: Principal, notice_id: int | None) -> int:
        """Take one of the principal's notices off their list, or all; the history keeps them."""
        async with self.db.write() as uow:
            if notice_id is not None:
                await self._own(uow, principal, notice_id)
            statement = update(_N).where(*own_notices(principal))
            if notice_id is not None:
                statement = statement.where(_N.id == notice_id)
            changed = await uow.session.execute(statement.values(dismissed_at=uow.now).returning(_N.id))
            return len(changed.all())

    async def _own(self, uow: UnitOfWork, principal: Principal, notice_id: int) -> None:
        found = select(_N.id).where(_N.id == notice_id, *own_notices(principal))
        if (await uow.session.execute(found)).first() is None:
            raise NotificationNotFound


def own_notices(principal: Principal) -> Sequence[Any]:
    """Return the conditions on the notices in the console that are the principal's own."""
    own_id = int(principal.id) if principal.id.isdecimal() else 0
    return (_N.administrator_id == own_id, _N.channel_kind == CONSOLE, _N.dismissed_at.is_(None))


def _require_row(principal: Principal, action: str, row: Any) -> None:
    target = Target(
        organization_id=row.organization_id,
        department_id=row.department_id,
        certificate_type=row.certificate_type,
    )
    require_object(principal, action, target, absent=NotificationNotFound)


async def _tried(attempt: Any) -> Tried:
    try:
        receipt: Receipt = await attempt
    except NotDelivered as fault:
        return Tried(ok=False, message=f"{fault.reason}: {fault}")
    except OutcomeUnknown as fault:
        return Tried(ok=False, message=str(fault))
    return Tried(ok=True, message=receipt.text)
