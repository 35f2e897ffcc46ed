"""The command Check Domain Control: a second pair of eyes, so that one hijacked route proves nothing.

The hub does not say what it expects and decides by what is reported (Baseline Requirements 3.2.2.9).
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from agents.network.domain_probes import Answer, DomainProbe, ProbeFailed
from agents.runtime.commands import CheckDomainControl, DomainControlSeen
from agents.runtime.errors import CommandFailed
from agents.runtime.handlers import CommandContext
from agents.runtime.policy import Policy

DEFAULT_TIMEOUT_S = 20.0
MAX_TIMEOUT_S = 60.0
MAX_URLS = 4
MAX_VALUES = 50
MAX_VALUE_CHARS = 8192


class CheckDomainControlHandler:
    """Looks, once, within what the policy allows at that moment."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy

    async def run(self, body: CheckDomainControl, context: CommandContext) -> DomainControlSeen:
        """Look. What can't be seen is an answer too; CommandFailed is for commands that make no sense."""
        del context
        timeout_s = min(body.timeout_ms / 1000 or DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S)
        probe = DomainProbe(self._policy().domain_control, timeout_s=timeout_s / 2)
        reason = message = ""
        answer = Answer((), authenticated=False)
        try:
            async with asyncio.timeout(timeout_s):
                answer = await _look(body, probe)
        except ProbeFailed as fault:
            reason, message = fault.reason, str(fault)
        except TimeoutError:
            reason, message = "FetchTimedOut", f"there was no complete answer within {timeout_s:g} s"
        return DomainControlSeen(
            values=tuple(value[:MAX_VALUE_CHARS] for value in answer.values[:MAX_VALUES]),
            trail=tuple(probe.trail[:MAX_VALUES]),
            reason=reason,
            message=message[:2000],
            authenticated=answer.authenticated,
            seen_at=datetime.now(UTC),
        )

    async def recover(self, body: CheckDomainControl, context: CommandContext) -> DomainControlSeen:
        """Look again."""
        return await self.run(body, context)


async def _look(body: CheckDomainControl, probe: DomainProbe) -> Answer:
    match body.method:
        case "txt":
            return await probe.txt(body.name)
        case "cname":
            return await probe.cname(body.name)
        case "file":
            return await _fetch(body.urls[:MAX_URLS], probe)
        case other:
            raise CommandFailed("MethodUnknown", f"this agent can't check {other[:32]!r}")


async def _fetch(urls: tuple[str, ...], probe: DomainProbe) -> Answer:
    found: list[str] = []
    first: ProbeFailed | None = None
    for url in urls:
        try:
            found.append(await probe.file(url))
        except ProbeFailed as fault:
            first = first or fault
    if not found:
        raise first or ProbeFailed("NothingToFetch", "the command names no address")
    return Answer(tuple(found), authenticated=False)
