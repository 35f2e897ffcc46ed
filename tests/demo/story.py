"""The main job, told step by step: discover, request, generate, approve, issue, store, install, verify."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from agents.network.verify import Served, served_certificate
from tests.demo.stage import APACHE_NAME, NGINX_NAME, Stage
from tests.demo.telling import Teller
from tests.harness.api import Api


class StoryFailed(Exception):
    """A step did not end as it must."""


@dataclass(frozen=True, slots=True)
class Target:
    """One server of the story: how the inventory names its node, and how it is reached."""

    server: str
    name: str
    port: int
    key_location: str


@dataclass
class Story:
    """Runs the story on a stage that is set up."""

    stage: Stage
    tell: Teller

    def run(self) -> None:
        """Run it to the end.

        Raises:
            StoryFailed: a port does not serve what was issued for it.
        """
        targets = [
            Target("apache", APACHE_NAME, self.stage.apache.port, "pks"),
            Target("nginx", NGINX_NAME, self.stage.nginx.port, "target"),
        ]
        with self.tell.step("the agents connect") as line:
            network = self.stage.agent_record("network")
            pks = self.stage.agent_record("pks")
            line.outcome = f"agents connected over mutual TLS: {network['name']}, {pks['name']}"
        self._discover(network, targets)
        expected = {target: self._replace(target, network, pks) for target in targets}
        with self.tell.step("handshakes with both ports") as line:
            for target, fingerprint in expected.items():
                self._verify(target, fingerprint)
            line.outcome = "verified by handshake: both ports serve the new certificates"

    @property
    def _api(self) -> Api:
        return self.stage.api

    def _discover(self, network: dict[str, Any], targets: list[Target]) -> None:
        with self.tell.step("Discover Network") as line:
            task = self._api.post(
                "/discovery/tasks",
                {
                    "name": f"demo {self.stage.apache.port}",
                    "organization_id": network["organization_id"],
                    "agent_id": network["id"],
                    "ranges": [{"target": "127.0.0.1", "ports": [str(target.port) for target in targets]}],
                },
            )
            scan_id = self._api.post(f"/discovery/tasks/{task['id']}/scan")["scan_id"]
            done = self._api.wait(
                f"/discovery/scans/{scan_id}", lambda answer: answer["finished_at"] is not None
            )
            if done["state"] != "Successful":
                raise StoryFailed(f"the scan ended as {done['state']}: {done['message']}")
            found, targets = done["certificates_found"], done["targets_total"]
            line.outcome = f"Discover Network: {found} certificates on {targets} ports"
        for find in self._api.get(f"/discovery/scans/{scan_id}/finds")["items"]:
            expires = find["valid_to"][:10]
            self.tell.note(f"found {find['common_name']} on port {find['port']}, expires {expires}")

    def _replace(self, target: Target, network: dict[str, Any], pks: dict[str, Any]) -> str:
        certificate_id = self._request(target, network, pks)
        with self.tell.step(f"Generate Certificate for {target.name}") as line:
            self._until(certificate_id, lambda answer: answer["csr"] is not None)
            where = pks if target.key_location == "pks" else network
            line.outcome = f"Generate Certificate: key made and kept by {where['name']}, CSR received"
        with self.tell.step("approve and issue") as line:
            self._api.post(f"/certificates/{certificate_id}/approve", {"message": "demo"})
            issued = self._until(certificate_id, lambda answer: answer["status"] == "Issued")
            line.outcome = (
                f"approved and issued by {issued['issuer']}, serial {issued['serial_number'][:16]}…"
            )
        with self.tell.step(f"Store and Install Certificate on {target.server}") as line:
            done = self._until(
                certificate_id,
                lambda answer: answer["install_state"] in {"Successful", "Failed"},
                timeout_s=90,
            )
            if done["install_state"] != "Successful":
                reasons = [f"{item['status']}: {item['reason']} {item['message']}" for item in done["items"]]
                raise StoryFailed(f"{target.server}: {reasons or done['status_message']}")
            sealed = " (key sealed to the network agent)" if target.key_location == "pks" else ""
            line.outcome = f"Store and Install Certificate: {target.server} reloaded{sealed}"
        fingerprint: str = done["sha256"]
        return fingerprint

    def _request(self, target: Target, network: dict[str, Any], pks: dict[str, Any]) -> int:
        with self.tell.step(f"request a certificate for {target.name}") as line:
            node_id = self._node(target, network)
            profile = self._api.get("/profiles")["items"][0]
            enrolled = self._api.post(
                "/certificates",
                {
                    "method": "auto_install",
                    "organization_id": network["organization_id"],
                    "profile_id": profile["id"],
                    "term_days": min(profile["terms_days"]),
                    "common_name": target.name,
                    "key_type": "EC-P256",
                    "key_location": target.key_location,
                    "pks_agent_id": pks["id"] if target.key_location == "pks" else None,
                    "targets": [{"agent_id": network["id"], "server": target.server, "node_id": node_id}],
                    "installation": "immediate",
                    "comments": "replaces the self-signed certificate",
                },
            )
            certificate_id: int = enrolled["id"]
            line.outcome = f"certificate {certificate_id} requested for {target.name} on {target.server}"
        return certificate_id

    def _node(self, target: Target, network: dict[str, Any]) -> str:
        def manageable(answer: Any) -> list[str]:
            return [
                node["node_id"]
                for server in answer["servers"]
                if server["name"] == target.server
                for node in server["nodes"]
                if target.name in node["names"]
                and node["manageable"]
                and any(port["port"] == target.port for port in node["ports"])
            ]

        answer = self._api.wait(f"/agents/{network['id']}/servers", lambda found: bool(manageable(found)))
        return manageable(answer)[0]

    def _until(self, certificate_id: int, condition: Any, *, timeout_s: float = 30) -> dict[str, Any]:
        def settled(answer: Any) -> bool:
            if answer["status"] in {"Rejected", "Invalid", "Declined"} or answer["status_reason"]:
                raise StoryFailed(
                    f"certificate {certificate_id} is {answer['status']}: {answer['status_message']}"
                )
            return bool(condition(answer))

        path = f"/certificates/{certificate_id}"
        answer: dict[str, Any] = self._api.wait(path, settled, timeout_s=timeout_s)
        return answer

    def _verify(self, target: Target, fingerprint: str) -> None:
        served: Served = asyncio.run(served_certificate("127.0.0.1", target.port, target.name, 10))
        if served.fingerprint != fingerprint:
            raise StoryFailed(f"{target.server} serves {served.fingerprint}, not {fingerprint}")
        self.tell.note(f"{target.name}: port {target.port} serves {fingerprint[:32]}… ({served.tls_version})")
