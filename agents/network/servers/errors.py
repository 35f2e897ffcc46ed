"""What can go wrong while a server's configuration is read or one of its commands is run."""

from __future__ import annotations


class ServerError(Exception):
    """The server could not be inspected or controlled; `code` is stable, `words` are the server's own."""

    code = "ServerError"

    def __init__(self, message: str, *, words: str = "") -> None:
        super().__init__(message)
        self.words = words


class CommandNotRunnableError(ServerError):
    """The server's program is missing or may not be executed."""

    code = "CommandNotRunnable"


class CommandTimedOutError(ServerError):
    """The server's program did not end in time and was killed."""

    code = "CommandTimedOut"


class ConfigurationCheckFailedError(ServerError):
    """The server's own checker refuses the configuration that is on disk."""

    code = "ConfigurationCheckFailed"


class ConfigurationUnreadableError(ServerError):
    """The configuration passes its check, yet its virtual hosts can't be told apart by us."""

    code = "ConfigurationUnreadable"


class DefinitionsMalformedError(ServerError):
    """`servers.toml` is not what the documentation says it is."""

    code = "DefinitionsMalformed"


class CertificateUnreadableError(ServerError):
    """A certificate or key file named in a configuration can't be read or parsed."""

    code = "CertificateUnreadable"
