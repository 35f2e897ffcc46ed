"""What can go wrong in an agent, under one root; `code` is stable and is the `reason` of a failed command.

The docstring is the default message. Only the executor turns errors into command failures, and only the
command line into exit codes.
"""


class AgentError(Exception):
    """The agent could not do what was asked."""

    code = "AgentFailed"
    retryable = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class CommandFailed(AgentError):
    """A handler's typed refusal: reason, message, and whether a repeat may succeed as it is."""

    def __init__(self, reason: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = reason
        self.retryable = retryable


class TokenMalformed(AgentError):
    """The text is not an enrollment token."""

    code = "TokenMalformed"


class KindNotInToken(AgentError):
    """The token was not made for this kind of agent."""

    code = "KindNotInToken"


class StateDirectoryUnusable(AgentError):
    """The state directory can't be used."""

    code = "StateDirectoryUnusable"
    retryable = True


class AlreadyEnrolled(AgentError):
    """The state directory holds an agent's identity already."""

    code = "AlreadyEnrolled"


class NotEnrolled(AgentError):
    """The state directory holds no agent's identity; enroll first."""

    code = "NotEnrolled"


class AlreadyRunning(AgentError):
    """Another process uses this state directory."""

    code = "AlreadyRunning"


class ConfigMalformed(AgentError):
    """The configuration is not what the documentation says it is."""

    code = "ConfigMalformed"


class PolicyMalformed(AgentError):
    """The policy is not what the documentation says it is."""

    code = "PolicyMalformed"


class UnsafeMode(AgentError):
    """Others than the owner may read a file that holds a secret."""

    code = "UnsafeMode"


class HubUnreachable(AgentError):
    """The hub does not answer."""

    code = "HubUnreachable"
    retryable = True


class HubNotTrusted(AgentError):
    """The hub does not show the certification authority that the token names."""

    code = "HubNotTrusted"


class EnrollmentRefused(AgentError):
    """The hub refuses the token."""

    code = "EnrollmentRefused"


class AgentRemoved(AgentError):
    """The hub does not know this agent as an active one."""

    code = "AgentRemoved"


class IdentityRejected(AgentError):
    """The hub issued a certificate that is not one for this agent's key by its authority."""

    code = "IdentityRejected"


class SessionViolation(AgentError):
    """The hub sent a message that has no place in this state of the session."""

    code = "SessionViolation"


class JournalConflict(AgentError):
    """The journal holds this command in another state than expected."""

    code = "JournalConflict"


class KeyNotFound(AgentError):
    """The agent's store has no such key."""

    code = "KeyNotFound"


class KeyIdTaken(AgentError):
    """The store has a key of that id that was made for other parameters."""

    code = "KeyIdTaken"


class KeyDiffersFromCertificate(AgentError):
    """The certificate's public key is not that of the stored key."""

    code = "KeyDiffersFromCertificate"


class CertificateNotStored(AgentError):
    """The store has no such certificate beside the key."""

    code = "CertificateNotStored"


class StoreKeyUnavailable(AgentError):
    """The key that protects the agent's store is missing or wrong."""

    code = "StoreKeyUnavailable"
