"""The streams that this process holds, by agent; and the progress reports that wait to be written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import grpc

from hub.fleet.messages import Deliver, Progress
from hub.fleet.reports import ProgressReport


class OpenedStream(Protocol):
    """What the rest of the hub may ask of an open stream. All of it returns at once."""

    agent_id: str
    session_id: str
    name: str
    opened_number: int
    heard_at: float

    @property
    def room(self) -> int:
        """How many commands may be sent now."""
        ...

    def deliver(self, command: Deliver) -> None:
        """Send a command that has been recorded as dispatched."""
        ...

    def cancel(self, delivery_id: str) -> None:
        """Ask the agent to give a command up, once."""
        ...

    def configure(self, name: str) -> None:
        """Tell the agent its display name."""
        ...

    def cut(self, code: grpc.StatusCode, reason: str) -> None:
        """End the stream at once."""
        ...


class StreamDirectory:
    """The open streams, one an agent."""

    def __init__(self) -> None:
        self._by_agent: dict[str, OpenedStream] = {}

    def add(self, stream: OpenedStream) -> None:
        """Take a stream in; of two of one agent the one that was opened later stays."""
        present = self._by_agent.get(stream.agent_id)
        if present is not None and present.opened_number > stream.opened_number:
            stream.cut(*SUPERSEDED)
            return
        self._by_agent[stream.agent_id] = stream
        if present is not None:
            present.cut(*SUPERSEDED)

    def discard(self, stream: OpenedStream) -> None:
        """Forget a stream, unless a newer one has its place."""
        if self._by_agent.get(stream.agent_id) is stream:
            del self._by_agent[stream.agent_id]

    def get(self, agent_id: str) -> OpenedStream | None:
        """Return the agent's stream."""
        return self._by_agent.get(agent_id)

    def __iter__(self) -> Iterator[OpenedStream]:
        return iter(list(self._by_agent.values()))

    def __len__(self) -> int:
        return len(self._by_agent)

    def agent_ids(self) -> list[str]:
        """Return the ids of the connected agents."""
        return list(self._by_agent)


SUPERSEDED = (grpc.StatusCode.ABORTED, "StreamSuperseded: a newer stream of this agent was opened")
CUT_REMOVED = (grpc.StatusCode.PERMISSION_DENIED, "AgentRemoved: the agent has been removed")
CUT_SILENT = (grpc.StatusCode.DEADLINE_EXCEEDED, "HeartbeatMissed: nothing was heard from the agent")
CUT_SHUTDOWN = (grpc.StatusCode.UNAVAILABLE, "HubStopping: the hub is shutting down")


class ProgressBoard:
    """The latest progress of each command, until it is written: many reports cost one row update a second."""

    def __init__(self) -> None:
        self._latest: dict[tuple[str, str], Progress] = {}

    def note(self, agent_id: str, progress: Progress) -> None:
        """Replace what was noted before about the same command."""
        self._latest[agent_id, progress.delivery_id] = progress

    def forget(self, agent_id: str, delivery_id: str) -> None:
        """Drop what was noted about a command that has ended."""
        self._latest.pop((agent_id, delivery_id), None)

    def take(self) -> list[ProgressReport]:
        """Return what has to be written."""
        taken = [ProgressReport(agent_id, progress) for (agent_id, _), progress in self._latest.items()]
        self._latest.clear()
        return taken
