"""The control stream's state table, seen from the agent.

A missing row is a violation of the protocol by the hub (or, for our own inputs, a mistake of ours) and ends
the stream; nothing is silently skipped except what the table says to ignore.
"""

from enum import Enum

from agents.runtime.messages import (
    ToAgent,
    ToAgentBatchCommitted,
    ToAgentCancel,
    ToAgentCommand,
    ToAgentConfigure,
    ToAgentDoneCommitted,
    ToAgentHeartbeat,
    ToAgentHello,
    ToAgentIdentity,
    ToAgentRenew,
    ToAgentUnknown,
)


class SessionState(Enum):
    """Where a stream is."""

    AWAITING_HELLO = "awaiting_hello"
    OPEN = "open"
    DRAINING = "draining"
    """We are going: no new commands, but what is finished is still delivered."""
    CLOSED = "closed"


class SessionInput(Enum):
    """What can happen to a stream."""

    HELLO = "hello"
    COMMAND = "command"
    CANCEL = "cancel"
    BATCH_COMMITTED = "batch_committed"
    DONE_COMMITTED = "done_committed"
    RENEW = "renew"
    IDENTITY = "identity"
    CONFIGURE = "configure"
    HEARTBEAT = "heartbeat"
    UNKNOWN = "unknown"
    HEARTBEAT_DUE = "heartbeat_due"
    SILENCE = "silence"
    DRAIN = "drain"
    END = "end"


class Effect(Enum):
    """What the session does with it."""

    OPEN = "open"
    DELIVER = "deliver"
    IGNORE = "ignore"
    DROP_BATCH = "drop_batch"
    DROP_DONE = "drop_done"
    CONFIGURE = "configure"
    BEAT = "beat"
    CLOSE = "close"


_S, _I, _E = SessionState, SessionInput, Effect

INPUT_OF: dict[type[ToAgent], SessionInput] = {
    ToAgentHello: _I.HELLO,
    ToAgentCommand: _I.COMMAND,
    ToAgentCancel: _I.CANCEL,
    ToAgentBatchCommitted: _I.BATCH_COMMITTED,
    ToAgentDoneCommitted: _I.DONE_COMMITTED,
    ToAgentRenew: _I.RENEW,
    ToAgentIdentity: _I.IDENTITY,
    ToAgentConfigure: _I.CONFIGURE,
    ToAgentHeartbeat: _I.HEARTBEAT,
    ToAgentUnknown: _I.UNKNOWN,
}

_WHILE_CONNECTED = {
    _I.CANCEL: _E.DELIVER,
    _I.BATCH_COMMITTED: _E.DROP_BATCH,
    _I.DONE_COMMITTED: _E.DROP_DONE,
    _I.RENEW: _E.DELIVER,
    _I.IDENTITY: _E.DELIVER,
    _I.CONFIGURE: _E.CONFIGURE,
    _I.HEARTBEAT: _E.IGNORE,
    _I.UNKNOWN: _E.IGNORE,
    _I.HEARTBEAT_DUE: _E.BEAT,
}

TRANSITIONS: dict[tuple[SessionState, SessionInput], tuple[SessionState, Effect]] = {
    (_S.AWAITING_HELLO, _I.HELLO): (_S.OPEN, _E.OPEN),
    (_S.AWAITING_HELLO, _I.HEARTBEAT_DUE): (_S.AWAITING_HELLO, _E.IGNORE),
    (_S.AWAITING_HELLO, _I.SILENCE): (_S.CLOSED, _E.CLOSE),
    (_S.AWAITING_HELLO, _I.DRAIN): (_S.CLOSED, _E.CLOSE),
    (_S.AWAITING_HELLO, _I.END): (_S.CLOSED, _E.CLOSE),
    **{(_S.OPEN, given): (_S.OPEN, effect) for given, effect in _WHILE_CONNECTED.items()},
    (_S.OPEN, _I.COMMAND): (_S.OPEN, _E.DELIVER),
    (_S.OPEN, _I.SILENCE): (_S.CLOSED, _E.CLOSE),
    (_S.OPEN, _I.DRAIN): (_S.DRAINING, _E.IGNORE),
    (_S.OPEN, _I.END): (_S.CLOSED, _E.CLOSE),
    **{(_S.DRAINING, given): (_S.DRAINING, effect) for given, effect in _WHILE_CONNECTED.items()},
    # Not journalled, hence not accepted: the hub sends it again to whoever connects next under this name.
    (_S.DRAINING, _I.COMMAND): (_S.DRAINING, _E.IGNORE),
    (_S.DRAINING, _I.SILENCE): (_S.CLOSED, _E.CLOSE),
    (_S.DRAINING, _I.DRAIN): (_S.DRAINING, _E.IGNORE),
    (_S.DRAINING, _I.END): (_S.CLOSED, _E.CLOSE),
    (_S.CLOSED, _I.END): (_S.CLOSED, _E.IGNORE),
    (_S.CLOSED, _I.DRAIN): (_S.CLOSED, _E.IGNORE),
    (_S.CLOSED, _I.HEARTBEAT_DUE): (_S.CLOSED, _E.IGNORE),
    (_S.CLOSED, _I.SILENCE): (_S.CLOSED, _E.IGNORE),
}
