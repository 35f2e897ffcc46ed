"""Errors of the access room."""

from __future__ import annotations

from collections.abc import Sequence

from hub.db.errors import Conflict, Forbidden, Malformed, NotFound, RateLimited, Unauthenticated
from pki.findings import Finding


class WrongCredentials(Unauthenticated):
    """Wrong user name or password."""

    code = "wrong_credentials"


class SessionEnded(Unauthenticated):
    """The session has ended; sign in again."""

    code = "session_ended"


class InvalidToken(Unauthenticated):
    """The API token is unknown, expired or revoked."""

    code = "invalid_token"


class TooManyLogins(RateLimited):
    """Too many attempts to sign in; wait before the next one."""

    code = "too_many_logins"


class WeakPassword(Malformed):
    """The password breaks a rule."""

    code = "weak_password"


class UsernameTaken(Conflict):
    """There is an administrator of this user name already."""

    code = "username_taken"


class NoSuchToken(NotFound):
    """There is no such API token of yours."""

    code = "no_such_token"


class NoSuchAdministrator(NotFound):
    """There is no such administrator."""

    code = "no_such_administrator"


class LastMaster(Conflict):
    """This is the last active MRAO; nobody could undo it."""

    code = "last_master"


class CheckpointUnreadable(Malformed):
    """This is not a checkpoint of the audit log."""

    code = "checkpoint_unreadable"


class ArchiveUnreadable(Malformed):
    """This is not an archive of the audit log."""

    code = "archive_unreadable"


class AuditDamaged(Conflict):
    """The audit log is damaged; certwright audit verify tells where."""

    code = "audit_damaged"


class NothingToArchive(Conflict):
    """No entry of the audit log is that old."""

    code = "nothing_to_archive"


class HandoverRefused(Forbidden):
    """You can't give away more than you have."""

    code = "handover_refused"

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(finding.message for finding in findings))
        self.findings = tuple(findings)


class PlaceUnknown(Malformed):
    """There is no such organization or department."""

    code = "place_unknown"


class SettingsMalformed(Malformed):
    """A setting has a value that can't be."""

    code = "settings_malformed"
