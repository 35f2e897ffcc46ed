import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agents.runtime.agent import Agent, open_store
from agents.runtime.commands import NetworkDiscovered, NetworkFinds
from agents.runtime.config import AgentConfig, dump_config
from agents.runtime.default_policy import default_policy
from agents.runtime.enrollment import enroll
from agents.runtime.facts import gather_facts
from agents.runtime.handlers import AgentKind, Outfit, ResumePoint
from agents.runtime.hub_address import dial
from agents.runtime.identity import save_identity
from agents.runtime.policy import BASE_CHECKS, load_policy
from agents.runtime.receiver_key import ensure_receiver_key
from agents.runtime.state_dir import StateDirectory, write_file
from agents.runtime.store_key import choose_store_key, open_store_key
from agents.runtime.tokens import parse_token
from tests.integration.agent.fake_hub import Cable, FakeHub


@pytest.fixture
async def hub():
    hub = FakeHub()
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
async def cable(hub):
    cable = Cable(hub.control_port)
    await cable.start()
    yield cable
    await cable.stop()


@dataclass
class Work:
    """A command's handler under the test's control: each run waits for its permit."""

    started: list[str] = field(default_factory=list)
    resumed: list[ResumePoint] = field(default_factory=list)
    permit: asyncio.Event = field(default_factory=asyncio.Event)
    batches: int = 0

    async def run(self, body, context):
        self.started.append(context.command_id)
        for number in range(1, self.batches + 1):
            finds = NetworkFinds(
                certificates=(), endpoints=(), cursor=number, targets_done=number, targets_total=self.batches
            )
            await context.emit(finds, memo=str(number))
        context.progress(0.5, "half way")
        await self.permit.wait()
        return NetworkDiscovered(targets=len(self.started), open=0, closed=0, silent=0, certificates=0)


class ResumableWork(Work):
    async def resume(self, body, context, point):
        self.resumed.append(point)
        return await self.run(body, context)


@dataclass
class Bench:
    """An enrolled agent's directory, and agents started on it."""

    hub: FakeHub
    directory: StateDirectory
    kind: AgentKind
    agent_id: str = ""
    running: list[tuple[Agent, asyncio.Task]] = field(default_factory=list)
    chance: float = 0.01

    async def enroll(
        self, *, control_port: int | None = None, name: str = "bench", policy: str | None = None
    ) -> None:
        token = parse_token(self.hub.token(self.kind.name))
        self.directory.create()
        found = choose_store_key(self.directory, credentials=None, passphrase_file=None)
        receiver = ensure_receiver_key(self.directory, found.key)
        dialled = dial(token.address, None)
        facts = gather_facts(self.kind, receiver.public)
        enrolled = await enroll(token, facts, dialled=dialled, name=name)
        save_identity(self.directory, enrolled.identity)
        write_file(self.directory.policy, (policy or default_policy(self.kind.name)).encode())
        port = control_port or self.hub.control_port
        config = AgentConfig.model_validate(
            {
                "kind": self.kind.name,
                "agent_id": enrolled.agent_id,
                "name": name,
                "hub": {
                    "control": f"127.0.0.1:{port}",
                    "enrollment": dialled.address,
                    "reconnect_base_s": 1.0,
                    "reconnect_cap_s": 2.0,
                },
                "limits": {"drain_s": 1},
            }
        )
        write_file(self.directory.config, dump_config(config))
        self.agent_id = enrolled.agent_id

    async def start(self) -> Agent:
        from agents.runtime.config import load_config

        config = load_config(self.directory.config)
        kek = open_store_key(self.directory, config.store, credentials=None)
        ready: asyncio.Future[Agent] = asyncio.get_running_loop().create_future()

        async def live() -> None:
            async with open_store(self.directory, config, kek) as store:
                agent = Agent(
                    store,
                    self.kind,
                    policy=lambda: load_policy(self.directory.policy),
                    chance=lambda: self.chance,
                )
                ready.set_result(agent)
                await agent.run()

        task = asyncio.create_task(live())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            await task
        self.running.append((ready.result(), task))
        return ready.result()

    async def stop(self) -> None:
        while self.running:
            agent, task = self.running.pop()
            agent.stop()
            await task

    async def kill(self) -> None:
        """As SIGKILL would: nothing is finished, nothing is said."""
        while self.running:
            _, task = self.running.pop()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def work() -> Work:
    return Work()


def kind_of(work: Work) -> AgentKind:
    async def build(tools, uplink) -> Outfit:
        return Outfit(handlers={"DiscoverNetwork": work}, checks=BASE_CHECKS)

    return AgentKind(name="network", commands=("DiscoverNetwork",), build=build)


@pytest.fixture
async def bench(hub: FakeHub, tmp_path: Path, work: Work):
    bench = Bench(hub, StateDirectory(tmp_path / "state"), kind_of(work))
    yield bench
    await bench.kill()
