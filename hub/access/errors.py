"""Errors of the access room."""

from __future__ import annotations

from hub.db.errors import Conflict, Malformed, NotFound, RateLimited, Unauthenticated


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
