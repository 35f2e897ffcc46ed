"""nginx: its check loads certificates and keys, and a reload that fails leaves the old workers serving.

`-s reload` only sends a signal: a moment later the workers are new, so the result is found by handshakes.
https://nginx.org/en/docs/control.html
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

from agents.network.installers.errors import ReloadFailedError
from agents.network.installers.file_based import FileBasedInstaller
from agents.network.servers import daemon, nginx
from agents.network.servers.errors import ConfigurationCheckFailedError
from agents.network.verify import POLL_INTERVAL_S

if TYPE_CHECKING:
    from agents.network.servers.model import Inventory, ServerDefinition

_BUILT_IN_PID = re.compile(r"--pid-path=(\S+)")


class NginxInstaller(FileBasedInstaller):
    """Replaces the files of a server block in place and reloads."""

    async def discover(self, server: ServerDefinition) -> Inventory:
        """Server blocks of the configuration with its includes."""
        return nginx.inventory(server, await asyncio.to_thread(nginx.read_configuration, server))

    async def check(self, server: ServerDefinition) -> None:
        """`-t`."""
        result = await self._run(server, self.check_command(server))
        if result.exit_code != 0:
            message = f"the configuration check ended with {result.exit_code}"
            raise ConfigurationCheckFailedError(message, words=result.words)

    def check_command(self, server: ServerDefinition) -> tuple[str, ...]:
        """`-t`, without its notices."""
        return server.commands.check or nginx.command(server, "-t", "-q")

    def reload_command(self, server: ServerDefinition) -> tuple[str, ...]:
        """`-s reload`."""
        return server.commands.reload or nginx.command(server, "-s", "reload")

    async def restart(self, server: ServerDefinition) -> None:
        """`-s stop`, and a start once the master process has ended."""
        if server.commands.restart:
            result = await self._run(server, server.commands.restart)
            if result.exit_code != 0:
                message = f"the restart command ended with {result.exit_code}"
                raise ReloadFailedError(message, words=result.words)
            return
        pid_file = await self.pid_file(server)
        await self._run(server, nginx.command(server, "-s", "stop"))
        end = asyncio.get_running_loop().time() + self._take_up_s
        while pid_file and daemon.main_process(pid_file):
            if asyncio.get_running_loop().time() >= end:
                raise ReloadFailedError("the master process did not end when it was told to stop")
            await asyncio.sleep(POLL_INTERVAL_S)
        await self.start(server)

    async def start(self, server: ServerDefinition) -> None:
        """Start a master process."""
        result = await self._run(server, server.commands.start or nginx.command(server))
        if result.exit_code != 0:
            raise ReloadFailedError(f"the start command ended with {result.exit_code}", words=result.words)

    async def pid_file(self, server: ServerDefinition) -> Path | None:
        """The `pid` directive, else the name that was built in (`nginx -V`)."""
        configuration = await asyncio.to_thread(nginx.read_configuration, server)
        named = [arguments[0] for arguments in configuration.all("pid")]
        if not named:
            built = await self._run(server, (str(server.program.path), "-V"))
            named = _BUILT_IN_PID.findall(built.errors)
        return (server.root or Path("/")) / named[0] if named else None
