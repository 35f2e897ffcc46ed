"""A hub, its agents and their servers as processes below one folder; what the acceptance tests act on."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sqlite3
import time
import tomllib
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from tests.harness.api import Api, Timeout
from tests.harness.processes import Agent, Hub
from tests.real_servers.apache import PrivateApache
from tests.real_servers.certificates import Leaf, self_signed
from tests.real_servers.nginx import PrivateNginx
from tests.real_servers.site import Site

KINDS = ("network", "pks")
SERVERS: dict[str, type[PrivateApache | PrivateNginx]] = {
    "apache": PrivateApache,
    "nginx": PrivateNginx,
}
_COMMANDS = {
    "network": (
        "DiscoverNetwork",
        "DiscoverServers",
        "GenerateCertificate",
        "StoreCertificate",
        "InstallCertificate",
        "DeleteKey",
        "RestartServer",
    ),
    "pks": (
        "GenerateCertificate",
        "StoreCertificate",
        "ExportKey",
        "DeleteKey",
        "ExportKeyFile",
        "ImportKey",
    ),
}


def wait_for(condition: Callable[[], Any], what: str, *, timeout_s: float = 20) -> Any:
    """Poll until ``condition`` gives something true, and return that; raises Timeout."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise Timeout(f"{what} within {timeout_s:g} s")
        time.sleep(0.02)  # noqa: TID251 - looks at other processes from outside
    return found


@dataclass
class World:
    """One hub, up to one agent of each kind, and web servers."""

    folder: Path
    hub: Hub = field(init=False)
    agents: dict[str, Agent] = field(init=False)
    servers: dict[str, PrivateApache | PrivateNginx] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hub = Hub(self.folder / "hub")
        self.agents = {kind: Agent(self.folder / kind) for kind in KINDS}

    @classmethod
    def create(cls, folder: Path, *, database_url: str | None = None) -> World:
        """Initialize a hub, and enroll an agent of each kind."""
        world = cls(folder)
        world.hub.database_url = database_url
        world.hub.data_dir.mkdir(parents=True)
        world.hub.init()
        world.hub.start()
        try:
            for kind, agent in world.agents.items():
                agent.enroll(world.hub.token(kind), name=f"{kind} agent", kind=kind)
        finally:
            world.hub.stop()
        world.receiver_fingerprint()
        return world

    @classmethod
    def copy_of(cls, template: World, folder: Path, *, database_url: str | None = None) -> World:
        """A copy with the same identities, and addresses of its own; ``database_url`` names its database."""
        shutil.copytree(template.folder, folder, ignore=shutil.ignore_patterns("*.log", "run.json"))
        world = cls(folder)
        world.hub.database_url = database_url
        world.configure_hub()
        world.hub.init()
        for kind in KINDS:
            world.write_policy(kind)
        return world

    # ---- processes

    def configure_hub(self, **settings: Any) -> None:
        """Write the hub's config.toml."""
        if self.hub.database_url is not None:
            settings["database_url"] = self.hub.database_url
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        (self.hub.data_dir / "config.toml").write_text(text)

    def start_hub(self) -> None:
        """Start the hub, and tell the agents where it is."""
        self.hub.start()
        for agent in self.agents.values():
            point_to(agent, self.hub.addresses["grpc"], self.hub.addresses["enroll"])

    def start_agents(self, *kinds: str) -> None:
        """Start agents (all by default) and wait until the hub has them connected."""
        for kind in kinds or KINDS:
            self.agents[kind].start()
        for kind in kinds or KINDS:
            self.connected(kind)

    def connected(self, kind: str, *, timeout_s: float = 20) -> dict[str, Any]:
        """Wait until the hub shows the agent as connected; its record."""
        path = f"/agents/{self.agent_id(kind)}"
        record: dict[str, Any] = self.api.wait(path, lambda it: it["connected"], timeout_s=timeout_s)
        return record

    def stop(self) -> None:
        """End everything, however it is."""
        for agent in self.agents.values():
            agent.kill()
        self.hub.kill()
        for server in self.servers.values():
            with suppress(TimeoutError):
                server.stop()

    @property
    def api(self) -> Api:
        """The API as the first administrator."""
        return self.hub.api

    def agent_id(self, kind: str) -> str:
        """The agent's id."""
        agent_id: str = tomllib.loads((self.agents[kind].state_dir / "config.toml").read_text())["agent_id"]
        return agent_id

    def said(self, kind: str, event: str, **facts: Any) -> list[dict[str, Any]]:
        """Lines of an agent's log about ``event``, with these facts."""
        log = self.agents[kind].state_dir / "agent.log"
        return [line for line in _lines(log) if line.get("event") == event and _has(line, facts)]

    def hub_said(self, event: str, **facts: Any) -> list[dict[str, Any]]:
        """Lines of the hub's log."""
        log = self.hub.data_dir / "hub.log"
        return [line for line in _lines(log) if line.get("event") == event and _has(line, facts)]

    def troubles(self) -> list[str]:
        """Errors and traces in the logs: none of the faults of these tests is one that nobody expected."""
        logs = [
            self.hub.data_dir / "hub.log",
            *(each.state_dir / "agent.log" for each in self.agents.values()),
        ]
        return [
            line
            for log in logs
            if log.exists()
            for line in log.read_text().splitlines()
            if '"level": "error"' in line or line.startswith("Traceback") or "never retrieved" in line
        ]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Read the hub's database from outside."""
        if self.hub.database_url is None:
            with closing(sqlite3.connect(self.hub.data_dir / "hub.db")) as database:
                return database.execute(statement).fetchall()
        return asyncio.run(_query_postgres(self.hub.database_url, statement))

    # ---- servers and policies

    def serve(self, kind: str, name: str, *, tls: Path | None = None, **options: Any) -> Leaf:
        """Start a web server with a self-signed certificate for ``name``; the agent may manage it."""
        folder = self.folder / kind
        folder.mkdir(exist_ok=True)
        files = tls or folder
        site = Site((name,), files / "site.pem", files / "site.key")
        leaf = self_signed(name, days=5)
        leaf.write(site)
        server = SERVERS[kind](folder, [site], **options)
        server.start()
        self.servers[kind] = server
        definitions = "\n".join(each.toml() for each in self.servers.values())
        (self.agents["network"].state_dir / "servers.toml").write_text(definitions)
        return leaf

    def write_policy(
        self,
        kind: str,
        *,
        key_export: str | list[str] | None = None,
        scan: Iterable[str] = ("127.0.0.0/8",),
        paths: Iterable[str | Path] | None = None,
        key_download: str | list[str] = "never",
    ) -> None:
        """Write an agent's local policy: by default, what the tests need."""
        if key_export is None:
            key_export = [self.receiver_fingerprint()] if kind == "pks" else "never"
        text = f"commands = {json.dumps(_COMMANDS[kind])}\nkey_export = {json.dumps(key_export)}\n"
        if kind == "network":
            allowed = [str(path) for path in (paths if paths is not None else [self.folder])]
            text += f"[scan]\nallow = {json.dumps(list(scan))}\n[install]\npaths = {json.dumps(allowed)}\n"
        else:
            text += f"[key_download]\nreceivers = {json.dumps(key_download)}\n"
        self.agents[kind].write_policy(text)

    def receiver_fingerprint(self) -> str:
        """The network agent's, as its own command line shows it; kept, since it never changes."""
        note = self.folder / "receiver"
        if not note.exists():
            note.write_text(self.agents["network"].status()["receiver_fingerprint"])
        return note.read_text()

    # ---- certificates

    def organization_id(self) -> int:
        """The first organization's id."""
        found: int = self.api.get("/organizations")["items"][0]["id"]
        return found

    def profile(self) -> dict[str, Any]:
        """The first certificate profile."""
        profile: dict[str, Any] = self.api.get("/profiles")["items"][0]
        return profile

    def node_id(self, server: str, name: str) -> str:
        """Wait until the inventory has a manageable node, and return its id."""

        def found(answer: Any) -> list[str]:
            return [
                node["node_id"]
                for each in answer["servers"]
                if each["name"] == server
                for node in each["nodes"]
                if name in node["names"] and node["manageable"]
            ]

        path = f"/agents/{self.agent_id('network')}/servers"
        return found(self.api.wait(path, lambda answer: bool(found(answer))))[0]

    def request(self, name: str, **changes: Any) -> int:
        """Request a certificate, by default with a key made in the PKS; return its id."""
        profile = self.profile()
        body = {
            "method": "pks",
            "organization_id": self.organization_id(),
            "profile_id": profile["id"],
            "term_days": min(profile["terms_days"]),
            "common_name": name,
            "key_type": "EC-P256",
            "pks_agent_id": self.agent_id("pks"),
        }
        given = {key: value for key, value in (body | changes).items() if value is not None}
        certificate_id: int = self.api.post("/certificates", given)["id"]
        return certificate_id

    def request_install(self, server: str, name: str, *, key_location: str = "target") -> int:
        """Request a certificate that is installed as soon as it is approved and issued."""
        target = {
            "agent_id": self.agent_id("network"),
            "server": server,
            "node_id": self.node_id(server, name),
        }
        return self.request(
            name,
            method="auto_install",
            key_location=key_location,
            pks_agent_id=self.agent_id("pks") if key_location == "pks" else None,
            targets=[target],
            installation="immediate",
        )

    def approve(self, certificate_id: int) -> None:
        """Approve a request, once its key is there."""
        self.until(certificate_id, lambda it: it["csr"] is not None)
        self.api.post(f"/certificates/{certificate_id}/approve", {"message": ""})

    def certificate(self, certificate_id: int) -> dict[str, Any]:
        """A certificate in full."""
        found: dict[str, Any] = self.api.get(f"/certificates/{certificate_id}")
        return found

    def until(
        self, certificate_id: int, condition: Callable[[Any], Any], *, timeout_s: float = 30
    ) -> dict[str, Any]:
        """Wait until a certificate is as wanted, and return it."""
        path = f"/certificates/{certificate_id}"
        found: dict[str, Any] = self.api.wait(path, lambda it: bool(condition(it)), timeout_s=timeout_s)
        return found

    def installed(self, certificate_id: int, *, timeout_s: float = 40) -> dict[str, Any]:
        """Wait for the end of an installation, whatever it is."""
        return self.until(
            certificate_id, lambda it: it["install_state"] in {"Successful", "Failed"}, timeout_s=timeout_s
        )

    def commands_of(self, certificate_id: int, kind: str) -> list[dict[str, Any]]:
        """The commands of a kind that were sent for a certificate."""
        return [each for each in self.certificate(certificate_id)["commands"] if each["kind"] == kind]


async def _query_postgres(url: str, statement: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row.values()) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def point_to(agent: Agent, control: str, enrollment: str) -> None:
    """Change where an agent dials, and have it try again quickly; config.toml is meant to be edited."""
    path = agent.state_dir / "config.toml"
    values = {
        "control": json.dumps(control),
        "enrollment": json.dumps(enrollment),
        "reconnect_base_s": "0.3",
        "reconnect_cap_s": "1.0",
    }
    text = path.read_text()
    for key, value in values.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    path.write_text(text)


def _lines(log: Path) -> list[dict[str, Any]]:
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def _has(line: dict[str, Any], facts: dict[str, Any]) -> bool:
    return all(line.get(key) == value for key, value in facts.items())
