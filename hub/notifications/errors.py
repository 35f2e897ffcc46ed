"""What can be wrong with notifications: rules, templates, channels, and messages on their way."""

from __future__ import annotations

from hub.db.errors import Conflict, Malformed, NotFound, PolicyViolation


class RuleNotFound(NotFound):
    """There is no such notification rule, or it is outside your scope."""

    code = "notification_rule_not_found"


class RuleInvalid(Malformed):
    """The notification rule can't be kept like this."""

    code = "notification_rule_invalid"


class TemplateInvalid(Malformed):
    """The text of the template can't be used."""

    code = "notification_template_invalid"


class TypeUnknown(NotFound):
    """There is no such type of notification."""

    code = "notification_type_unknown"


class ChannelNotFound(NotFound):
    """There is no such channel, or it is outside your scope."""

    code = "notification_channel_not_found"


class ChannelKindUnknown(Malformed):
    """No notifier of this kind is installed."""

    code = "notification_channel_kind_unknown"


class ChannelSettingsInvalid(Malformed):
    """The channel's settings are not what its kind takes."""

    code = "notification_channel_settings_invalid"


class ChannelNameTaken(Conflict):
    """There is a channel of this name already."""

    code = "notification_channel_name_taken"


class ChannelInUse(Conflict):
    """Rules send through this channel: change them first."""

    code = "notification_channel_in_use"


class ObjectNotFound(NotFound):
    """There is no such object to preview with, or it is outside your scope."""

    code = "notification_object_not_found"


class NoMailServer(PolicyViolation):
    """The hub has no mail server: set smtp_host and smtp_from, or configure a channel of kind email."""

    code = "no_mail_server"


class NotificationNotFound(NotFound):
    """There is no such notification, or it is outside your scope."""

    code = "notification_not_found"


class NotificationMoved(Conflict):
    """Somebody else took the notification meanwhile."""

    code = "notification_moved"


class DeliveryNotAllowed(Conflict):
    """The notification is not in a state that allows this."""

    code = "notification_delivery_not_allowed"

    def __init__(self, *, state: str, event: str) -> None:
        super().__init__(f"a notification that is {state} can't {event.replace('_', ' ')}")
        self.state = state
        self.event = event


class NotDelivered(Exception):
    """A message was certainly not delivered.

    ``reason`` is a stable word; ``permanent``: trying again is no use; ``retry_after_s``: what the other side
    asked for; ``unreachable``: others through the same channel won't get through now either.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        unreachable: bool = False,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.unreachable = unreachable


class OutcomeUnknown(Exception):
    """A message was handed over, but nobody said whether it was taken."""
