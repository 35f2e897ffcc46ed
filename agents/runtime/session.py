"""One control stream as a sans-IO state machine: messages in, messages out; no socket, clock or log.

Hello goes first both ways. What the hub has not committed (:class:`~agents.runtime.outgoing.Outgoing`) is
sent once on every stream, which makes a cut network or a restarted hub a repetition and not a loss.
``now`` is any monotonic clock in seconds.
"""

from datetime import datetime

from agents.runtime.errors import SessionViolation
from agents.runtime.messages import (
    ToAgent,
    ToAgentBatchCommitted,
    ToAgentConfigure,
    ToAgentDoneCommitted,
    ToAgentHello,
    ToHub,
    ToHubAccepted,
    ToHubBatch,
    ToHubDone,
    ToHubHeartbeat,
    ToHubHello,
    ToHubIdentityRequest,
    ToHubInventory,
    ToHubProgress,
)
from agents.runtime.outgoing import Outgoing
from agents.runtime.session_states import INPUT_OF, TRANSITIONS, Effect, SessionInput, SessionState

HELLO_TIMEOUT_S = 20.0
_LEAST_INTERVAL_S = 0.05
HUB_HEARTBEAT = "heartbeat"
"""Capability of a hub that answers heartbeats; only then does its silence mean anything."""

Posted = ToHubAccepted | ToHubProgress | ToHubIdentityRequest | ToHubInventory | ToHubDone
"""What is said once. An end among them is an answer to what never got into the journal."""


class Session:
    """The agent's side of one stream."""

    def __init__(self, hello: ToHubHello, outgoing: Outgoing, *, now: float) -> None:
        self.state = SessionState.AWAITING_HELLO
        self.closed_because = ""
        self.hub: ToAgentHello | None = None
        self._outgoing = outgoing
        self._sent: set[tuple[str, int]] = set()
        self._queue: list[ToHub] = []
        self._first: ToHubHello | None = hello
        self._silent_since = now
        self._silence_limit_s: float | None = HELLO_TIMEOUT_S
        self._interval_s = HELLO_TIMEOUT_S
        self._next_beat = now + HELLO_TIMEOUT_S

    # ---- from the hub

    def receive(self, message: ToAgent, *, now: float) -> list[ToAgent]:
        """Take a message; return what the agent has to act on. Raises SessionViolation and closes."""
        self._silent_since = now
        effect = self._advance(INPUT_OF[type(message)])
        match effect, message:
            case Effect.OPEN, ToAgentHello():
                self._open(message, now)
                return [message]
            case Effect.DELIVER, _:
                return [message]
            case Effect.CONFIGURE, ToAgentConfigure():
                if message.heartbeat_interval_s > 0:
                    self._interval_s = max(message.heartbeat_interval_s, _LEAST_INTERVAL_S)
                    self._next_beat = min(self._next_beat, now + self._interval_s)
                return [message]
            case Effect.DROP_BATCH, ToAgentBatchCommitted():
                known = self._outgoing.batch_committed(message.command_id, message.sequence)
                return [message] if known else []
            case Effect.DROP_DONE, ToAgentDoneCommitted():
                return [message] if self._outgoing.done_committed(message.command_id) else []
            case _:
                return []

    def _open(self, hello: ToAgentHello, now: float) -> None:
        self.hub = hello
        self._interval_s = max(hello.heartbeat_interval_s or HELLO_TIMEOUT_S, _LEAST_INTERVAL_S)
        answers = HUB_HEARTBEAT in hello.capabilities and hello.heartbeat_timeout_s > 0
        self._silence_limit_s = hello.heartbeat_timeout_s if answers else None
        self._next_beat = now + self._interval_s

    # ---- from the agent

    def post(self, message: Posted) -> None:
        """Queue a message; progress is for a listening hub only and is dropped otherwise."""
        if self.state is SessionState.CLOSED:
            return
        if isinstance(message, ToHubProgress) and self.state is SessionState.AWAITING_HELLO:
            return
        self._queue.append(message)

    def send_again(self, command_id: str) -> None:
        """Send what is uncommitted of a command once more: the hub asked for the command again."""
        self._sent = {key for key in self._sent if key[0] != command_id}

    def drain(self) -> None:
        """Take no further commands."""
        if self._advance(SessionInput.DRAIN) is Effect.CLOSE:
            self.closed_because = "the agent stops"

    def end(self, reason: str) -> None:
        """The stream has ended, whoever ended it."""
        if self._advance(SessionInput.END) is Effect.CLOSE:
            self.closed_because = reason

    def tick(self, *, now: float, wall: datetime, running: int) -> None:
        """Let time pass: a heartbeat when one is due, the end after too long a silence."""
        limit = self._silence_limit_s
        if limit is not None and now - self._silent_since >= limit:
            if self._advance(SessionInput.SILENCE) is Effect.CLOSE:
                self.closed_because = f"the hub was silent for {limit:g} s"
            return
        if now >= self._next_beat:
            self._next_beat = now + self._interval_s
            if self._advance(SessionInput.HEARTBEAT_DUE) is Effect.BEAT:
                self._queue.append(ToHubHeartbeat(wall, running))

    def next_tick(self) -> float:
        """When `tick` has something to do, by the same clock."""
        if self._silence_limit_s is None:
            return self._next_beat
        return min(self._next_beat, self._silent_since + self._silence_limit_s)

    def data_to_send(self) -> list[ToHub]:
        """Take what has to be written now, in order: hello alone until the hub's hello is there."""
        data: list[ToHub] = []
        if self._first is not None:
            data.append(self._first)
            self._first = None
        if self.state in {SessionState.OPEN, SessionState.DRAINING}:
            data += self._queue
            self._queue = []
            data += self._unsent()
        return data

    def _unsent(self) -> list[ToHub]:
        fresh: list[ToHub] = []
        for message in self._outgoing.ready():
            key = _key(message)
            if key not in self._sent:
                self._sent.add(key)
                fresh.append(message)
        return fresh

    def _advance(self, given: SessionInput) -> Effect:
        row = TRANSITIONS.get((self.state, given))
        if row is None:
            was, self.state = self.state, SessionState.CLOSED
            self.closed_because = f"{given.value} while {was.value}"
            raise SessionViolation(self.closed_because)
        self.state, effect = row
        return effect


def _key(message: ToHubBatch | ToHubDone) -> tuple[str, int]:
    # Sequences start at 1, so 0 stands for the end.
    return message.command_id, message.sequence if isinstance(message, ToHubBatch) else 0
