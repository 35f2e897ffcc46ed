"""Admin REST of notifications: types, rules, templates, channels, and what was sent."""

from __future__ import annotations

from hub.access.policy import scope
from hub.http.calls import Call
from hub.http.listing import ListEndpoint, ListQuery, Page
from hub.http.principal import Principal
from hub.http.routing import RouteSet, StreamedResponse, delete, get, post, put
from hub.notifications.catalog import TYPES, NotificationType, type_named
from hub.notifications.channel_store import EDIT as CHANNELS_EDIT
from hub.notifications.channel_store import VIEW as CHANNELS_VIEW
from hub.notifications.listing import CHANNELS, NOTIFICATIONS, RULES
from hub.notifications.models import Notification, NotificationChannel, NotificationRule
from hub.notifications.rule_store import EDIT, VIEW
from hub.notifications.schemas import (
    ChannelBody,
    ChannelKindList,
    ChannelKindView,
    ChannelRow,
    NotificationRow,
    NotificationView,
    PreviewBody,
    PreviewView,
    RuleBody,
    RuleRow,
    RuleView,
    TemplateBody,
    TemplateKeyQuery,
    TemplateList,
    TemplateView,
    TestBody,
    TriedView,
    TypeList,
    TypeView,
    VariableView,
)
from hub.notifications.service import RESEND, TEMPLATES_EDIT, NotificationService, Rendered


class NotificationRoutes(RouteSet):
    """``/notifications``: what was sent, and the types that there are."""

    prefix, tag = "/notifications", "notifications"

    def __init__(self, service: NotificationService) -> None:
        self._service = service
        self._listing = ListEndpoint(
            service.db,
            NOTIFICATIONS,
            scope=lambda who: scope(
                who,
                Notification.organization_id,
                Notification.department_id,
                action=VIEW,
                type_column=Notification.certificate_type,
            ),
            filename="notifications.csv",
        )

    @get(
        "",
        action=VIEW,
        summary="List notifications that were sent or are on their way",
        query=ListQuery,
        returns=Page[NotificationRow],
        listing=NOTIFICATIONS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[NotificationRow] | StreamedResponse:
        """Return a page of notifications."""
        return await self._listing(call)

    @get("/types", action=VIEW, summary="List types of notifications with their variables", returns=TypeList)
    async def types(self, call: Call[None, None]) -> TypeList:
        """Return what people can be told of."""
        del call
        return TypeList(
            types=[_type_view(kind) for kind in TYPES.values()], mail_server=self._service.has_mail_server
        )

    @get("/{id:int}", action=VIEW, summary="Read a notification", returns=NotificationView)
    async def read(self, call: Call[None, None]) -> NotificationView:
        """Return one with its text."""
        row = await self._service.read(call.principal, call.int_path("id"))
        return NotificationView.model_validate(row)

    @post(
        "/{id:int}/resend",
        action=RESEND,
        summary="Send a notification again, or after all",
        returns=NotificationView,
        status=202,
    )
    async def resend(self, call: Call[None, None]) -> NotificationView:
        """Queue it as a message of its own."""
        await self._service.resend(call.principal, call.int_path("id"))
        return NotificationView.model_validate(await self._service.read(call.principal, call.int_path("id")))


class RuleRoutes(RouteSet):
    """``/notifications/rules``."""

    prefix, tag = "/notifications/rules", "notification-rules"

    def __init__(self, service: NotificationService) -> None:
        self._service = service
        self._listing = ListEndpoint(
            service.db,
            RULES,
            scope=lambda who: scope(
                who, NotificationRule.organization_id, NotificationRule.department_id, action=VIEW
            ),
            filename="notification-rules.csv",
        )

    @get(
        "",
        action=VIEW,
        summary="List notification rules",
        query=ListQuery,
        returns=Page[RuleRow],
        listing=RULES,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[RuleRow] | StreamedResponse:
        """Return a page of rules."""
        return await self._listing(call)

    @post("", action=EDIT, summary="Create a notification rule", body=RuleBody, returns=RuleView, status=201)
    async def create(self, call: Call[RuleBody, None]) -> RuleView:
        """Create a rule."""
        rule_id = await self._service.create_rule(call.principal, call.body.typed())
        return await self._view(call.principal, rule_id)

    @get("/{id:int}", action=VIEW, summary="Read a notification rule", returns=RuleView)
    async def read(self, call: Call[None, None]) -> RuleView:
        """Return one rule."""
        return await self._view(call.principal, call.int_path("id"))

    @put("/{id:int}", action=EDIT, summary="Change a notification rule", body=RuleBody, returns=RuleView)
    async def change(self, call: Call[RuleBody, None]) -> RuleView:
        """Replace a rule."""
        await self._service.change_rule(call.principal, call.int_path("id"), call.body.typed())
        return await self._view(call.principal, call.int_path("id"))

    @delete("/{id:int}", action=EDIT, summary="Delete a notification rule")
    async def remove(self, call: Call[None, None]) -> None:
        """Forget a rule; what it queued is sent."""
        await self._service.remove_rule(call.principal, call.int_path("id"))

    async def _view(self, principal: Principal, rule_id: int) -> RuleView:
        return RuleView.of(await self._service.rule(principal, rule_id))


class TemplateRoutes(RouteSet):
    """``/notifications/templates``: the words of each type."""

    prefix, tag = "/notifications/templates", "notification-templates"

    def __init__(self, service: NotificationService) -> None:
        self._service = service

    @get("", action=VIEW, summary="List templates that differ from the built-in ones", returns=TemplateList)
    async def list(self, call: Call[None, None]) -> TemplateList:
        """Return the words that somebody chose; the types hold the built-in ones."""
        records = await self._service.chosen_templates(call.principal)
        return TemplateList(
            items=[
                TemplateView(
                    type=record.key.type,
                    organization_id=record.key.organization_id,
                    language=record.key.language,
                    subject=record.subject,
                    body=record.body,
                    changed_at=record.changed_at,
                    changed_by=record.changed_by,
                )
                for record in records
            ]
        )

    @put(
        "/{type}",
        action=TEMPLATES_EDIT,
        summary="Change the words of a type",
        query=TemplateKeyQuery,
        body=TemplateBody,
    )
    async def change(self, call: Call[TemplateBody, TemplateKeyQuery]) -> None:
        """Set subject and text; unknown variables are refused."""
        key = call.query.key(call.path["type"])
        await self._service.choose_template(
            call.principal, key, subject=call.body.subject, body=call.body.body
        )

    @delete("/{type}", action=TEMPLATES_EDIT, summary="Go back to the words behind", query=TemplateKeyQuery)
    async def reset(self, call: Call[None, TemplateKeyQuery]) -> None:
        """Forget chosen words."""
        await self._service.reset_template(call.principal, call.query.key(call.path["type"]))

    @post(
        "/{type}/preview",
        action=VIEW,
        summary="Fill words with an object, or with a sample",
        body=PreviewBody,
        returns=PreviewView,
    )
    async def preview(self, call: Call[PreviewBody, None]) -> PreviewView:
        """Return subject and text as they would be sent."""
        return PreviewView.model_validate(await self._rendered(call.principal, call.path["type"], call.body))

    @post(
        "/{type}/test",
        action=TEMPLATES_EDIT,
        summary="Mail filled words to an address",
        body=TestBody,
        returns=TriedView,
    )
    async def test(self, call: Call[TestBody, None]) -> TriedView:
        """Send a test message through the hub's own mail server."""
        rendered = await self._rendered(call.principal, call.path["type"], call.body)
        return TriedView.model_validate(await self._service.send_test(rendered, to=call.body.to))

    async def _rendered(self, principal: Principal, name: str, body: PreviewBody) -> Rendered:
        return await self._service.preview(
            principal, type_named(name), words=(body.subject, body.body), object_id=body.object_id
        )


class ChannelRoutes(RouteSet):
    """``/notifications/channels``: webhooks, chats and mail servers."""

    prefix, tag = "/notifications/channels", "notification-channels"

    def __init__(self, service: NotificationService) -> None:
        self._service = service
        self._listing = ListEndpoint(
            service.db,
            CHANNELS,
            scope=lambda who: scope(
                who,
                NotificationChannel.organization_id,
                NotificationChannel.department_id,
                action=CHANNELS_VIEW,
            ),
            filename="notification-channels.csv",
        )

    @get(
        "",
        action=CHANNELS_VIEW,
        summary="List notification channels",
        query=ListQuery,
        returns=Page[ChannelRow],
        listing=CHANNELS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[ChannelRow] | StreamedResponse:
        """Return a page of channels."""
        return await self._listing(call)

    @get("/kinds", action=CHANNELS_VIEW, summary="List kinds of channels", returns=ChannelKindList)
    async def kinds(self, call: Call[None, None]) -> ChannelKindList:
        """Return what is installed."""
        del call
        return ChannelKindList(
            items=[
                ChannelKindView(
                    kind=name,
                    display_name=kind.display_name,
                    addressed=kind.addressed,
                    settings_schema=kind.settings_model.model_json_schema(),
                )
                for name, kind in sorted(self._service.options.kinds.items())
            ]
        )

    @post(
        "",
        action=CHANNELS_EDIT,
        summary="Configure a notification channel",
        body=ChannelBody,
        returns=ChannelRow,
        status=201,
    )
    async def create(self, call: Call[ChannelBody, None]) -> ChannelRow:
        """Configure a channel; its secrets are never shown again."""
        channel_id = await self._service.create_channel(call.principal, call.body.typed())
        return await self._view(call.principal, channel_id)

    @get("/{id:int}", action=CHANNELS_VIEW, summary="Read a notification channel", returns=ChannelRow)
    async def read(self, call: Call[None, None]) -> ChannelRow:
        """Return one channel."""
        return await self._view(call.principal, call.int_path("id"))

    @put(
        "/{id:int}",
        action=CHANNELS_EDIT,
        summary="Change a notification channel",
        body=ChannelBody,
        returns=ChannelRow,
    )
    async def change(self, call: Call[ChannelBody, None]) -> ChannelRow:
        """Change name and settings; kind and place stay, and secrets that are left out."""
        await self._service.change_channel(call.principal, call.int_path("id"), call.body.typed())
        return await self._view(call.principal, call.int_path("id"))

    @delete("/{id:int}", action=CHANNELS_EDIT, summary="Delete a notification channel")
    async def remove(self, call: Call[None, None]) -> None:
        """Forget a channel that no rule uses."""
        await self._service.remove_channel(call.principal, call.int_path("id"))

    @post("/{id:int}/test", action=CHANNELS_EDIT, summary="Try a notification channel", returns=TriedView)
    async def test(self, call: Call[None, None]) -> TriedView:
        """Send a test through a channel, and say what came of it."""
        return TriedView.model_validate(await self._service.test_channel(call.principal, call.int_path("id")))

    async def _view(self, principal: Principal, channel_id: int) -> ChannelRow:
        return ChannelRow.model_validate(await self._service.channel(principal, channel_id))


def _type_view(kind: NotificationType) -> TypeView:
    return TypeView(
        name=kind.name,
        title=kind.title,
        object_type=kind.object_type,
        timing=kind.timing.value,
        critical=kind.critical,
        severity=kind.severity,
        days=list(kind.days),
        recipients=list(kind.recipients),
        variables=[
            VariableView(name=name, description=text) for name, text in sorted(kind.variables.items())
        ],
        subject=kind.subject,
        body=kind.body,
    )
