"""What can be wrong with agents, their tokens, and the commands sent to them."""

from __future__ import annotations

from hub.db.errors import (
    Conflict,
    Forbidden,
    HubError,
    Malformed,
    NotFound,
    PolicyViolation,
    Unauthenticated,
    Unavailable,
)


class AgentNotFound(NotFound):
    """There is no such agent, or it is outside your scope."""

    code = "agent_not_found"


class CommandNotFound(NotFound):
    """There is no such command, or it is outside your scope."""

    code = "command_not_found"


class TokenNotFound(NotFound):
    """There is no such enrollment token, or it is outside your scope."""

    code = "enrollment_token_not_found"


class AgentRemoved(Conflict):
    """The agent has been removed."""

    code = "agent_removed"


class AgentOutsideOrganization(PolicyViolation):
    """The agent belongs to another organization than the command."""

    code = "agent_outside_organization"


class KindNotSupported(PolicyViolation):
    """The agent does not understand this kind of command."""

    code = "command_kind_not_supported"


class CommandTransitionNotAllowed(Conflict):
    """The command is not in a state that allows this."""

    code = "command_transition_not_allowed"

    def __init__(self, *, state: str, event: str) -> None:
        super().__init__(f"a command that is {state} can't {event.replace('_', ' ')}")
        self.state = state
        self.event = event


class ReportRefused(Forbidden):
    """The command is not addressed to this agent."""

    code = "report_refused"

    def __init__(self, *, delivery_id: str, reporter_id: str) -> None:
        super().__init__()
        self.delivery_id = delivery_id
        self.reporter_id = reporter_id


class StreamViolation(Malformed):
    """The message has no place in this state of the stream."""

    code = "stream_violation"


class ResultOfAnotherKind(Malformed):
    """The result does not belong to the command's kind."""

    code = "result_of_another_kind"


class AgentNotAdmitted(Forbidden):
    """The certificate belongs to no active agent."""

    code = "agent_not_admitted"


class TokenUnknown(Unauthenticated):
    """The hub does not know this enrollment token."""

    code = "TokenUnknown"


class TokenSpent(Unauthenticated):
    """The enrollment token has been used."""

    code = "TokenSpent"


class TokenExpired(Unauthenticated):
    """The enrollment token has expired."""

    code = "TokenExpired"


class TokenRevoked(Unauthenticated):
    """The enrollment token has been withdrawn."""

    code = "TokenRevoked"


class TokenNotForKind(Malformed):
    """The enrollment token was made for another kind of agent."""

    code = "TokenNotForKind"


class IdentityRequestRefused(Malformed):
    """The agent's certificate request can't be used."""

    code = "IdentityRequestRefused"


class FactsMalformed(Malformed):
    """What the agent says about itself can't be understood."""

    code = "FactsMalformed"


class RejoinRefused(Unauthenticated):
    """The challenge is not answered by the key of an agent."""

    code = "RejoinRefused"


class ChallengeExpired(RejoinRefused):
    """The challenge has expired, or the hub did not make it."""

    code = "ChallengeExpired"


class ChallengeSpent(RejoinRefused):
    """The challenge has been used."""

    code = "ChallengeSpent"


class RemovedAgentRefused(Forbidden):
    """The agent has been removed by an administrator."""

    code = "AgentRemoved"


class AuthorityMissing(HubError):
    """The hub's agent CA has not been created; run `certwright hub init`."""

    code = "authority_missing"


class LedgerClosed(Unavailable):
    """The hub is shutting down."""

    code = "ledger_closed"
