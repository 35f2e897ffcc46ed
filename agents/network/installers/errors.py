"""Why a certificate was not installed. Each class has the stable reason that people see."""

from __future__ import annotations

import errno

from agents.network.servers.errors import ServerError


class InstallError(ServerError):
    """An install step failed."""

    code = "InstallFailed"


class RefusedError(InstallError):
    """A check before the first write spoke against the install; `reason` says which."""

    def __init__(self, reason: str, message: str, *, words: str = "") -> None:
        super().__init__(message, words=words)
        self.code = reason


class ServerBusyError(InstallError):
    """Another install on this server holds its lock."""

    code = "ServerBusy"


class VerificationFailedError(InstallError):
    """After the reload, a port does not serve the certificate as it should."""

    code = "VerificationFailed"


class ReloadFailedError(InstallError):
    """The server's reload command reports a failure."""

    code = "ReloadFailed"


class CancelledError(InstallError):
    """The command was cancelled between two steps."""

    code = "Cancelled"


class InterruptedInstallError(InstallError):
    """The agent ended in the middle of an install and undid it when it came back."""

    code = "Interrupted"


class TargetNotWritableError(InstallError):
    """A file can't be replaced; `from_os_error` tells a full disk from a missing right."""

    code = "TargetNotWritable"

    @classmethod
    def from_os_error(cls, error: OSError) -> InstallError:
        """The typed error for what the operating system said while files were written."""
        message = f"{error.filename or 'write'}: {error.strerror}"
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return DiskFullError(message)
        return cls(message)


class DiskFullError(InstallError):
    """There is no room for the new files."""

    code = "DiskFull"


class CheckpointUnreadableError(InstallError):
    """A checkpoint of an interrupted install can't be read, so it can't be finished or undone."""

    code = "CheckpointUnreadable"
