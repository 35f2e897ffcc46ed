"""The network agent: scans networks, lists web servers, makes and stores keys, installs certificates."""

import asyncio

from agents.network.challenges.responder import (
    ChallengeResponder,
    ServeChallengeHandler,
    WithdrawChallengeHandler,
)
from agents.network.check_domain_control import CheckDomainControlHandler
from agents.network.discover_network import DiscoverNetworkHandler
from agents.network.install_certificate import Installation, InstallCertificateHandler
from agents.network.installers.registry import load_installers
from agents.network.installers.rollout import Rollout
from agents.network.policy_checks import NETWORK_CHECKS
from agents.network.restart_server import RestartServerHandler
from agents.network.server_inventory import DiscoverServersHandler, InventoryTaker
from agents.network.servers.errors import ServerError
from agents.runtime.errors import AgentError
from agents.runtime.handlers import AgentKind, Outfit, Tools, Uplink
from agents.runtime.key_commands import (
    DeleteKeyHandler,
    GenerateCertificateHandler,
    StoreCertificateHandler,
)

COMMANDS = (
    "DiscoverNetwork",
    "DiscoverServers",
    "GenerateCertificate",
    "StoreCertificate",
    "InstallCertificate",
    "DeleteKey",
    "CheckDomainControl",
    "RestartServer",
    "ServeChallenge",
    "WithdrawChallenge",
)


class _FreshInventory:
    """Sends the inventory anew after an install, without keeping the install waiting."""

    def __init__(self, inventory: InventoryTaker, uplink: Uplink) -> None:
        self._inventory = inventory
        self._uplink = uplink
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self) -> None:
        """Begin to look."""
        task = asyncio.create_task(self._look())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self) -> None:
        try:
            self._uplink.send_inventory(await self._inventory.take())
        except (AgentError, ServerError):
            # The hub sees the problem with the next inventory; the install has its own answer.
            return


async def build(tools: Tools, uplink: Uplink) -> Outfit:
    """Construct the handlers, and settle what an earlier process left in the middle of an install."""
    installers = load_installers()
    rollout = Rollout(tools.state_dir, installers, lambda _path: False)
    recovered = {outcome.transaction: outcome for outcome in await rollout.recover()}
    inventory = InventoryTaker(tools.state_dir, installers, tools.policy)
    fresh = _FreshInventory(inventory, uplink)
    responder = ChallengeResponder(tools.state_dir, tools.policy)
    await responder.resume()
    install = InstallCertificateHandler(tools, Installation(installers, recovered), after_install=fresh.send)
    return Outfit(
        handlers={
            "DiscoverNetwork": DiscoverNetworkHandler(tools.policy),
            "DiscoverServers": DiscoverServersHandler(inventory),
            "GenerateCertificate": GenerateCertificateHandler(tools.keys),
            "StoreCertificate": StoreCertificateHandler(tools.keys, tools.receiver_key, tools.agent_id),
            "InstallCertificate": install,
            "RestartServer": RestartServerHandler(tools, installers, after_restart=fresh.send),
            "DeleteKey": DeleteKeyHandler(tools.keys),
            "CheckDomainControl": CheckDomainControlHandler(tools.policy),
            "ServeChallenge": ServeChallengeHandler(responder),
            "WithdrawChallenge": WithdrawChallengeHandler(responder),
        },
        checks=NETWORK_CHECKS,
        inventory=inventory.take,
        close=responder.close,
    )


KIND = AgentKind(name="network", commands=COMMANDS, build=build)
