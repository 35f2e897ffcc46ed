"""What the demo plays on: a hub, two agents, a private Apache and a private nginx, all below one folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.harness.api import Api
from tests.harness.processes import Agent, Hub
from tests.real_servers.apache import PrivateApache
from tests.real_servers.certificates import self_signed
from tests.real_servers.nginx import PrivateNginx
from tests.real_servers.site import Site

APACHE_NAME, NGINX_NAME = "shop.demo.example", "api.demo.example"


@dataclass
class Stage:
    """Everything that runs, and where."""

    folder: Path
    hub: Hub = field(init=False)
    network: Agent = field(init=False)
    pks: Agent = field(init=False)
    apache: PrivateApache = field(init=False)
    nginx: PrivateNginx = field(init=False)

    def __post_init__(self) -> None:
        self.hub = Hub(self.folder / "hub")
        self.network = Agent(self.folder / "network-agent")
        self.pks = Agent(self.folder / "pks-agent")
        self.hub.addresses = self._noted_addresses()

    @property
    def api(self) -> Api:
        """A client with the first administrator's token."""
        return self.hub.api

    def start_hub(self) -> bool:
        """Initialize the hub if needed, and start it; return whether it was new."""
        new = not (self.hub.data_dir / "hub.db").exists()
        self.hub.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.hub.init()
        self.hub.start()
        self._addresses_file.write_text(json.dumps(self.hub.addresses))
        return new

    def start_servers(self) -> None:
        """Start Apache and nginx, each with a self-signed certificate that expires in a few days."""
        self.apache = PrivateApache(self._clean("apache"), [self._site("apache", APACHE_NAME)])
        self.nginx = PrivateNginx(self._clean("nginx"), [self._site("nginx", NGINX_NAME)])
        for server, name in ((self.apache, APACHE_NAME), (self.nginx, NGINX_NAME)):
            self_signed(name, days=5).write(server.sites[0])
            server.stop()
            server.start()

    def enroll_agents(self) -> None:
        """Enroll the agents that have no identity yet, and give them their local policies."""
        if not self.network.enrolled:
            self.network.enroll(self.hub.token("network"), name="demo network agent", kind="network")
        if not self.pks.enrolled:
            self.pks.enroll(self.hub.token("pks"), name="demo key store", kind="pks")
        (self.network.state_dir / "servers.toml").write_text(self.apache.toml() + "\n" + self.nginx.toml())
        self.network.write_policy(self._network_policy())
        self.pks.write_policy(self._pks_policy())

    def start_agents(self) -> None:
        """Start both agents."""
        self.network.start()
        self.pks.start()

    def agent_record(self, kind: str) -> dict[str, Any]:
        """Return the hub's record of the agent of this kind, once it is connected."""
        agent_id = getattr(self, kind).status()["agent_id"]
        record: dict[str, Any] = self.api.wait(f"/agents/{agent_id}", lambda agent: agent["connected"])
        return record

    def stop(self) -> None:
        """Stop whatever runs."""
        for agent in (self.network, self.pks):
            agent.stop()
        self.hub.stop()
        for name in ("apache", "nginx"):
            if hasattr(self, name):
                getattr(self, name).stop()

    def _network_policy(self) -> str:
        paths = json.dumps([str(self.folder / "apache"), str(self.folder / "nginx")])
        return (
            'commands = ["DiscoverNetwork", "DiscoverServers", "GenerateCertificate", "StoreCertificate",'
            ' "InstallCertificate", "DeleteKey"]\n'
            'key_export = "never"\n[scan]\nallow = ["127.0.0.0/8"]\n'
            f'[install]\npaths = {paths}\nservers = ["apache", "nginx"]\n'
        )

    def _pks_policy(self) -> str:
        receiver = self.network.status()["receiver_fingerprint"]
        return (
            'commands = ["GenerateCertificate", "StoreCertificate", "ExportKey", "DeleteKey"]\n'
            f"key_export = {json.dumps([receiver])}\n"
        )

    def _site(self, folder: str, name: str) -> Site:
        return Site((name,), self.folder / folder / "site.pem", self.folder / folder / "site.key")

    def _clean(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def _addresses_file(self) -> Path:
        return self.folder / "addresses.json"

    def _noted_addresses(self) -> dict[str, str]:
        noted = self._addresses_file
        return json.loads(noted.read_text()) if noted.exists() else {}
