"""When an agent may install a certificate: the certificate's own schedule, narrowed by who closes servers.

Other rooms may close servers for a while (maintenance windows, freezes) by registering an
:class:`InstallWindows`; here both are brought together to the next span in which an installation may run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from hub.lifecycle.install_schedule import Window, next_window
from hub.lifecycle.requests import InstallSchedule

LOOK_AHEAD = timedelta(days=92)
"""How far ahead closed spans are asked for; a server that is closed for longer is looked at again then."""

# Checks, reload and handshakes take their time: what is left of a window has to be enough for them.
SHORTEST = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """From ``begin`` up to but not including ``end`` nothing is installed; ``reason`` is for people."""

    begin: datetime
    end: datetime
    reason: str


class InstallWindows(Protocol):
    """Who may say that nothing is installed on a server now."""

    async def closed(
        self,
        session: AsyncSession,
        agent_id: str,
        server: str,
        begin: datetime,
        end: datetime,
        *,
        certificate_id: int,
    ) -> Sequence[Closed]:
        """Return the spans that touch ``begin`` to ``end`` and in which the server is closed to it."""


class AlwaysOpen:
    """No server is ever closed."""

    async def closed(
        self,
        session: AsyncSession,  # noqa: ARG002 - the protocol's signature
        agent_id: str,  # noqa: ARG002 - the protocol's signature
        server: str,  # noqa: ARG002 - the protocol's signature
        begin: datetime,  # noqa: ARG002 - the protocol's signature
        end: datetime,  # noqa: ARG002 - the protocol's signature
        *,
        certificate_id: int,  # noqa: ARG002 - the protocol's signature
    ) -> Sequence[Closed]:
        """Return nothing."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The next span in which an installation may run; ``reason`` says who closed what lies before it."""

    window: Window
    reason: str = ""

    def is_now(self, now: datetime) -> bool:
        """Whether it is open already."""
        return self.window.begin <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An agent and its servers that the certificate is to be installed on."""

    certificate_id: int
    agent_id: str
    servers: tuple[str, ...]


async def next_opening(
    session: AsyncSession,
    windows: InstallWindows,
    place: Place,
    *,
    schedule: InstallSchedule | None,
    now: datetime,
) -> Opening:
    """Return the span that is open now, else the next one; all servers of the agent count together.

    Within :data:`LOOK_AHEAD` nothing may open at all: then the answer begins at its end.

    Raises:
        ValueError: the schedule never opens.
    """
    horizon = now + LOOK_AHEAD
    closed = [
        span
        for server in place.servers
        for span in await windows.closed(
            session, place.agent_id, server, now, horizon, certificate_id=place.certificate_id
        )
    ]
    at, reason = now, ""
    while at < horizon:
        window = next_window(schedule, at) if schedule is not None else Window(at, None)
        begin = max(window.begin, at)
        blocking = [span for span in closed if span.begin <= begin < span.end]
        if blocking:
            last = max(blocking, key=lambda span: span.end)
            at, reason = last.end, last.reason
            continue
        ends = [span.begin for span in closed if span.begin > begin]
        end = min([*ends, *([window.end] if window.end is not None else [])], default=None)
        if end is None or end - begin >= SHORTEST:
            return Opening(window=Window(begin, end), reason=reason)
        at = end
    return Opening(window=Window(at, None), reason=reason)
