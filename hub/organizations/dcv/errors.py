"""What can go wrong with validating control of a domain."""

from __future__ import annotations

from hub.db.errors import Conflict, Malformed, NotFound, PolicyViolation


class ValidationNotFound(NotFound):
    """There is no such domain validation, or it is outside your scope."""

    code = "dcv_not_found"


class NoOpenChallenge(Conflict):
    """There is no validation under way: start one."""

    code = "dcv_no_open_challenge"


class CheckRunning(Conflict):
    """The domain is being checked at this moment; ask again in a minute."""

    code = "dcv_check_running"


class ValidationChanged(Conflict):
    """The validation was changed by somebody else meanwhile."""

    code = "dcv_changed"


class TransitionNotAllowed(Conflict):
    """The validation is not in a state that allows this."""

    code = "dcv_transition_not_allowed"


class MethodUnknown(Malformed):
    """No such validation method is installed."""

    code = "dcv_method_unknown"


class DomainNotDelegated(PolicyViolation):
    """The domain is not delegated to the organization, so nobody needs its validation."""

    code = "dcv_domain_not_delegated"


class RecipientNotAllowed(Malformed):
    """The address is none that proves control of the domain."""

    code = "dcv_recipient_not_allowed"


class MailNotConfigured(PolicyViolation):
    """The hub has no mail server: an administrator of the host sets smtp_host and smtp_from."""

    code = "dcv_mail_not_configured"


class MailNotSent(Exception):
    """The mail server could not be reached or refused the message. Never leaves the worker."""

    code = "MailNotSent"


class ConfirmationRefused(NotFound):
    """This link is not valid: it was used already, has expired, or belongs to a validation that ended."""

    code = "dcv_confirmation_refused"


class VantageUnusable(PolicyViolation):
    """The agent can't be a vantage point of this domain."""

    code = "dcv_vantage_unusable"


class WriterNotFound(NotFound):
    """There is no such DNS writer, or it is not for this organization."""

    code = "dcv_writer_not_found"


class WriterKindUnknown(Malformed):
    """No DNS writer of this kind is installed."""

    code = "dcv_writer_kind_unknown"


class WriterNameTaken(Conflict):
    """There is a DNS writer of this name already."""

    code = "dcv_writer_name_taken"


class WriterInUse(Conflict):
    """Domains are validated through this DNS writer."""

    code = "dcv_writer_in_use"


class WriterSettingsInvalid(Malformed):
    """The settings do not fit the kind of DNS writer."""

    code = "dcv_writer_settings_invalid"


class RenewalNotPossible(Malformed):
    """The method can't be repeated without a person."""

    code = "dcv_renewal_not_possible"


class WriterFailed(Exception):
    """A DNS writer could not change the zone. ``reason`` is a stable word. Never leaves the worker."""

    code = "WriterFailed"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
