"""The commands Serve Challenge and Withdraw Challenge: prove to a CA that a name leads to this host.

How that may be done is the local policy's to say. Answers end by themselves; until then they survive a
restart.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from agents.network.challenges.answers import HTTP, Answer, AnswerFile, check, now_s
from agents.network.challenges.listeners import HttpListener, TlsListener
from agents.runtime.commands import (
    ChallengeServed,
    ChallengeWithdrawn,
    ServeChallenge,
    WithdrawChallenge,
)
from agents.runtime.errors import AgentError, CommandFailed
from agents.runtime.handlers import CommandContext
from agents.runtime.policy import ChallengePolicy, Policy

DEFAULT_LIFETIME_S = 3600
_MAX_ANSWERS = 500
_LONGEST_NAP_S = 30.0
_WELL_KNOWN = ".well-known/acme-challenge"


class ChallengeResponder:
    """Keeps answers, and the listeners that give them."""

    def __init__(self, state_dir: Path, policy: Callable[[], Policy]) -> None:
        self._policy = policy
        self._file = AnswerFile(state_dir / "challenges.json")
        self._answers: dict[str, Answer] = {}
        self._http = HttpListener(self._open_answers)
        self._tls = TlsListener(self._open_answers, state_dir)
        self._expiry: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    def _open_answers(self) -> tuple[Answer, ...]:
        return tuple(self._answers.values())

    def longest_s(self) -> int:
        """Return how long an answer may stay, in seconds. Raises PolicyMalformed."""
        return self._policy().challenges.max_lifetime_s

    async def resume(self) -> None:
        """Go on with what an earlier process answered, as far as the policy still lets it."""
        for answer in self._file.read():
            with contextlib.suppress(AgentError, OSError):
                await self.serve(answer)

    async def serve(self, answer: Answer) -> str:
        """Answer a challenge; return where. Raises CommandFailed, PolicyMalformed."""
        check(answer)
        policy = self._policy().challenges
        if not policy.allows(answer.identifier):
            raise CommandFailed(
                "PolicyRefused", f"the local policy answers no challenges for {answer.identifier}"
            )
        async with self._lock:
            if len(self._answers) >= _MAX_ANSWERS and answer.key not in self._answers:
                raise CommandFailed("TooManyChallenges", "too many challenges are open", retryable=True)
            self._answers[answer.key] = answer
            try:
                where = await self._show(answer, policy)
                self._file.write(self._answers.values())
            except BaseException:
                await self._drop([answer.key])
                raise
            self._watch()
            return where

    async def withdraw(self, key: str) -> None:
        """Take an answer away; one that is gone is no error."""
        async with self._lock:
            await self._drop([key])

    async def close(self) -> None:
        """Stop listening; the answers stay for the next process."""
        if self._expiry is not None:
            self._expiry.cancel()
            await asyncio.gather(self._expiry, return_exceptions=True)
            self._expiry = None
        await self._http.close()
        await self._tls.close()

    async def _show(self, answer: Answer, policy: ChallengePolicy) -> str:
        if answer.method == HTTP and policy.http_webroot:
            return await asyncio.to_thread(_write_answer, Path(policy.http_webroot), answer)
        if answer.method == HTTP and policy.http_listen:
            return await self._http.open(policy.http_listen)
        if answer.method != HTTP and policy.tls_listen:
            self._tls.prepare(answer)
            return await self._tls.open(policy.tls_listen)
        raise CommandFailed("PolicyRefused", f"the local policy has no place to answer {answer.method}")

    async def _drop(self, keys: list[str]) -> None:
        gone = [self._answers.pop(key) for key in keys if key in self._answers]
        if not gone:
            return
        with contextlib.suppress(AgentError):
            webroot = self._policy().challenges.http_webroot
            for answer in gone:
                if webroot and answer.method == HTTP:
                    await asyncio.to_thread(_remove_answer, Path(webroot), answer)
        with contextlib.suppress(OSError):
            self._file.write(self._answers.values())
        methods = {answer.method for answer in self._answers.values()}
        if HTTP not in methods:
            await self._http.close()
        if not methods - {HTTP}:
            await self._tls.close()

    def _watch(self) -> None:
        if self._expiry is None or self._expiry.done():
            self._expiry = asyncio.create_task(self._expire())

    async def _expire(self) -> None:
        while self._answers:
            first = min(item.expires for item in self._answers.values())
            # No longer than this, since one that ends earlier may come meanwhile.
            await asyncio.sleep(max(0.0, min(first - now_s(), _LONGEST_NAP_S)))
            async with self._lock:
                await self._drop([item.key for item in self._answers.values() if item.expires <= now_s()])


def _write_answer(webroot: Path, answer: Answer) -> str:
    folder = webroot / _WELL_KNOWN
    path = folder / answer.token
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_text(answer.key_authorization, "ascii")
        path.chmod(0o644)
    except OSError as fault:
        raise CommandFailed("FileNotWritten", f"{path}: {fault.strerror or fault}") from fault
    return str(path)


def _remove_answer(webroot: Path, answer: Answer) -> None:
    with contextlib.suppress(OSError):
        (webroot / _WELL_KNOWN / answer.token).unlink()


class ServeChallengeHandler:
    """Answers a challenge; a repeat changes nothing."""

    def __init__(self, responder: ChallengeResponder) -> None:
        self._responder = responder

    async def run(self, body: ServeChallenge, context: CommandContext) -> ChallengeServed:
        """Begin to answer. Raises CommandFailed."""
        del context
        lifetime_s = body.lifetime_s or DEFAULT_LIFETIME_S
        answer = Answer(
            key=body.key,
            method=body.method,
            identifier=body.identifier,
            token=body.token,
            key_authorization=body.key_authorization,
            expires=now_s() + min(lifetime_s, self._responder.longest_s()),
        )
        return ChallengeServed(key=body.key, where=await self._responder.serve(answer))

    async def recover(self, body: ServeChallenge, context: CommandContext) -> ChallengeServed:
        """Do it again."""
        return await self.run(body, context)


class WithdrawChallengeHandler:
    """Takes an answer away."""

    def __init__(self, responder: ChallengeResponder) -> None:
        self._responder = responder

    async def run(self, body: WithdrawChallenge, context: CommandContext) -> ChallengeWithdrawn:
        """Take it away."""
        del context
        await self._responder.withdraw(body.key)
        return ChallengeWithdrawn(key=body.key)

    async def recover(self, body: WithdrawChallenge, context: CommandContext) -> ChallengeWithdrawn:
        """Do it again."""
        return await self.run(body, context)
