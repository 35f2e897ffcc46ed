"""A running agent: opens its store, takes up what was left, keeps a stream to the hub until told to stop."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agents.runtime.channels import control_channel
from agents.runtime.config import AgentConfig
from agents.runtime.connection import Connection, StreamEnd
from agents.runtime.dispatcher import Dispatcher, LocalPolicy
from agents.runtime.enrollment import rejoin
from agents.runtime.errors import AgentError, AgentRemoved, IdentityRejected, StateDirectoryUnusable
from agents.runtime.executor import Executor
from agents.runtime.facts import gather_facts
from agents.runtime.handlers import AgentKind, Outfit, Tools
from agents.runtime.identity import Identity, load_identity, save_certificate
from agents.runtime.journal import Journal
from agents.runtime.keystore import KeyStore
from agents.runtime.messages import (
    AgentFacts,
    ToAgent,
    ToAgentConfigure,
    ToAgentHello,
    ToAgentIdentity,
    ToAgentRenew,
    ToHubHello,
)
from agents.runtime.milestones import Milestones
from agents.runtime.policy import Policy
from agents.runtime.receiver_key import load_receiver_key
from agents.runtime.reconnect import STABLE_AFTER_S, Backoff, Ending, should_rejoin
from agents.runtime.state_dir import StateDirectory
from agents.runtime.status import connection_now, write_connection
from agents.runtime.uplink import StreamUplink
from agents.runtime.verification import Trust
from pki.at_rest import KeyEncryptionKey
from pki.sealing import ReceiverKey

FLUSH_S = 3.0
CLOCK_WARNING = timedelta(seconds=60)
_HOUSEKEEPING_S = 3600.0


@dataclass(frozen=True, slots=True)
class AgentStore:
    """An agent's state directory, opened."""

    directory: StateDirectory
    config: AgentConfig
    journal: Journal
    keys: KeyStore
    receiver_key: ReceiverKey = field(repr=False)


@contextlib.asynccontextmanager
async def open_store(
    directory: StateDirectory, config: AgentConfig, kek: KeyEncryptionKey
) -> AsyncIterator[AgentStore]:
    """Open journal and key store for this process alone. Raises AlreadyRunning and what the files raise."""
    with directory.locked():
        receiver_key = load_receiver_key(directory, kek)
        journal = await Journal.open(directory.journal)
        try:
            keys = await KeyStore.open(directory.keys, kek)
            try:
                yield AgentStore(directory, config, journal, keys, receiver_key)
            finally:
                await keys.close()
        finally:
            await journal.close()


class Agent:
    """One agent in one process."""

    def __init__(
        self,
        store: AgentStore,
        kind: AgentKind,
        *,
        policy: Callable[[], Policy],
        milestones: Milestones | None = None,
        chance: Callable[[], float] = lambda: secrets.randbelow(1 << 30) / (1 << 30),
    ) -> None:
        self.milestones = milestones or Milestones()
        self._store = store
        self._kind = kind
        self._policy = policy
        self._chance = chance
        self._uplink = StreamUplink()
        self._identity = load_identity(store.directory)
        self._facts: AgentFacts = gather_facts(kind, store.receiver_key.public)
        self._backoff = Backoff(store.config.hub.reconnect_base_s, store.config.hub.reconnect_cap_s)
        self._stopping = asyncio.Event()
        self._background: set[asyncio.Task[None]] = set()

    @property
    def identity(self) -> Identity:
        """The identity in use."""
        return self._identity

    def stop(self) -> None:
        """Finish or hand back what runs, then return from `run`; for a signal handler."""
        self._stopping.set()
        session = self._uplink.session
        if session is not None:
            session.drain()

    async def run(self, *, on_ready: Callable[[], None] = lambda: None) -> None:
        """Run until `stop`. Raises what keeps the agent from starting at all."""
        config = self._store.config
        outfit = await self._kind.build(self._tools(), self._uplink)
        executor = Executor(
            outfit.handlers,
            journal=self._store.journal,
            uplink=self._uplink,
            milestones=self.milestones,
            concurrency=config.limits.concurrent_commands,
        )
        dispatcher = Dispatcher(
            journal=self._store.journal,
            uplink=self._uplink,
            executor=executor,
            policy=LocalPolicy(self._policy, outfit.checks),
            trust=Trust(self._identity.ca, config.agent_id),
            milestones=self.milestones,
        )
        await dispatcher.resume()
        self.milestones.record("agent_started", agent_id=config.agent_id, kind=config.kind, name=config.name)
        on_ready()
        work = _Work(outfit, executor, dispatcher)
        link = asyncio.create_task(self._stay_connected(work))
        housekeeping = asyncio.create_task(self._keep_house())
        try:
            await self._until_stopped(link, housekeeping)
            await executor.stop(grace_s=config.limits.drain_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_S):
                    await self._flushed()
        finally:
            await executor.stop(grace_s=0)
            for task in (link, housekeeping, *self._background):
                task.cancel()
            await asyncio.gather(link, housekeeping, *self._background, return_exceptions=True)
            if outfit.close is not None:
                await outfit.close()
            self._say("stopped")
            self.milestones.record("agent_stopped")

    def _tools(self) -> Tools:
        store = self._store
        return Tools(
            agent_id=store.config.agent_id,
            state_dir=store.directory.path,
            keys=store.keys,
            receiver_key=store.receiver_key,
            policy=self._policy,
        )

    async def _until_stopped(self, *tasks: asyncio.Task[None]) -> None:
        stopping = asyncio.create_task(self._stopping.wait())
        done, _ = await asyncio.wait({stopping, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for task in done - {stopping}:
            task.result()  # a background task never ends by itself: this raises what it died of

    async def _flushed(self) -> None:
        if self._uplink.session is not None:
            await self._uplink.flushed()

    # ---- the stream

    async def _stay_connected(self, work: "_Work") -> None:
        failures = 0
        ending: Ending | None = None
        while not self._stopping.is_set():
            begun = time.monotonic()
            end = await self._attempt(work, failures, ending)
            ending = end.ending
            stable = end.opened and time.monotonic() - begun >= STABLE_AFTER_S
            failures = 0 if stable else failures + 1
            pause_s = self._backoff.delay_s(max(failures - 1, 0), ending=ending, chance=self._chance())
            self._tell_end(end, pause_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()
        await asyncio.Event().wait()  # `run` ends this task when everything is flushed

    async def _attempt(self, work: "_Work", failures: int, ending: Ending | None) -> StreamEnd:
        expired = datetime.now(UTC) >= self._identity.not_after
        if should_rejoin(expired=expired, ending=ending, failures=failures):
            refused = await self._rejoin()
            if refused is not None and (expired or refused.ending is Ending.REMOVED):
                return refused
        hub = self._store.config.hub
        connection = Connection(
            self._uplink,
            on_message=lambda message: self._take(message, work),
            running=lambda: len(work.executor.command_ids),
        )
        async with control_channel(hub.control, self._identity, server_name=hub.server_name) as channel:
            end = await connection.run(channel, self._hello(work.executor))
        return await self._appeal(end) if end.ending is Ending.REMOVED else end

    async def _appeal(self, end: StreamEnd) -> StreamEnd:
        """A certificate may be refused because a newer one was issued and got lost; re-joining settles it."""
        refused = await self._rejoin()
        return StreamEnd(Ending.CUT, "got a fresh certificate", opened=False) if refused is None else end

    def _hello(self, executor: Executor) -> ToHubHello:
        limits = self._store.config.limits
        open_ids = executor.command_ids
        room = limits.concurrent_commands + limits.waiting_commands - len(open_ids)
        return ToHubHello(facts=self._facts, running_command_ids=open_ids, command_credits=max(room, 0))

    async def _rejoin(self) -> StreamEnd | None:
        """Ask for a fresh certificate; None when there is one."""
        config = self._store.config
        try:
            fresh = await rejoin(
                self._identity,
                self._facts,
                agent_id=config.agent_id,
                address=config.hub.enrollment,
                server_name=config.hub.server_name,
            )
            await self._take_identity(fresh)
        except AgentRemoved as fault:
            return StreamEnd(Ending.REMOVED, str(fault), opened=False)
        except AgentError as fault:
            return StreamEnd(Ending.CUT, str(fault), opened=False)
        self.milestones.record("rejoined", not_after=fresh.not_after.isoformat())
        return None

    def _tell_end(self, end: StreamEnd, pause_s: float) -> None:
        removed = end.ending is Ending.REMOVED
        self.milestones.record(
            "agent_removed" if removed else "disconnected",
            level="warning",
            message=end.message,
            ending=end.ending.value,
            next_attempt_s=round(pause_s, 1),
        )
        self._say("removed" if removed else "connecting", message=end.message)

    # ---- what the hub says

    async def _take(self, message: ToAgent, work: "_Work") -> None:
        match message:
            case ToAgentHello():
                self._connected(message, work)
            case ToAgentRenew():
                self._uplink.request_identity(self._identity.csr())
            case ToAgentIdentity():
                await self._identity_issued(message)
            case ToAgentConfigure():
                self.milestones.record("configured", display_name=message.name)
            case _:
                await work.dispatcher.take(message)

    def _connected(self, hello: ToAgentHello, work: "_Work") -> None:
        offset = hello.now - datetime.now(UTC)
        work.dispatcher.clock_offset = offset
        seconds = round(offset.total_seconds(), 1)
        if abs(offset) > CLOCK_WARNING:
            self.milestones.record("clock_differs", level="warning", hub_is_ahead_s=seconds)
        self.milestones.record("connected", hub_version=hello.version)
        self._say("connected", hub_version=hello.version, clock_offset_s=seconds)
        if datetime.now(UTC) >= self._identity.renew_at:
            self._uplink.request_identity(self._identity.csr())
        if work.outfit.inventory is not None:
            task = asyncio.create_task(self._send_inventory(work.outfit))
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def _send_inventory(self, outfit: Outfit) -> None:
        if outfit.inventory is None:
            return
        try:
            self._uplink.send_inventory(await outfit.inventory())
        except AgentError as fault:
            self.milestones.record("inventory_failed", level="warning", reason=fault.code, message=str(fault))
        else:
            self.milestones.record("inventory_sent")

    async def _identity_issued(self, issued: ToAgentIdentity) -> None:
        try:
            fresh = self._identity.renewed(issued.certificate)
        except IdentityRejected as fault:
            self.milestones.record("identity_rejected", level="error", message=str(fault))
            return
        try:
            await self._take_identity(fresh)
        except StateDirectoryUnusable as fault:
            # The hub asks again; until then the present certificate is good.
            self.milestones.record("identity_not_saved", level="error", message=str(fault))
            return
        self.milestones.record("identity_renewed", not_after=fresh.not_after.isoformat())

    async def _take_identity(self, fresh: Identity) -> None:
        await asyncio.to_thread(save_certificate, self._store.directory, fresh)
        self._identity = fresh

    # ---- now and then

    async def _keep_house(self) -> None:
        keep_days = self._store.config.limits.keep_results_days
        while True:
            now = datetime.now(UTC)
            try:
                await self._store.journal.purge(now=now, keep_days=keep_days)
            except StateDirectoryUnusable as fault:
                self.milestones.record("journal_failed", level="error", reason=fault.code, message=str(fault))
            if now >= self._identity.renew_at:
                self._uplink.request_identity(self._identity.csr())
            await asyncio.sleep(_HOUSEKEEPING_S)

    def _say(self, state: str, **details: str | float) -> None:
        write_connection(self._store.directory, connection_now(state, **details))


@dataclass(frozen=True, slots=True)
class _Work:
    """What this kind of agent does, running."""

    outfit: Outfit
    executor: Executor
    dispatcher: Dispatcher
