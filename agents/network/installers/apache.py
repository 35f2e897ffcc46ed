"""Apache httpd: graceful reload, and the checks that `-t` does not make.

`-t` passes with a key that does not match its certificate; `-k graceful` then returns 0 and the whole server
exits (AH02565, AH00020). So every pair on the server is compared before a reload, the neighbours' too. And a
server that died may be left as a zombie, where nobody reaps it: `-k start` then says `already running` and
does nothing until the stale PID file is gone.
https://httpd.apache.org/docs/2.4/stopping.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.network.installers.errors import ReloadFailedError
from agents.network.installers.file_based import FileBasedInstaller
from agents.network.servers import apache
from agents.network.servers.certificate_files import pair_problem
from agents.network.servers.daemon import is_zombie
from agents.network.servers.errors import ConfigurationCheckFailedError
from agents.network.servers.process import WORDS_LIMIT, last_words

if TYPE_CHECKING:
    from pathlib import Path

    from agents.network.servers.model import Inventory, ServerDefinition


class ApacheInstaller(FileBasedInstaller):
    """Replaces the files of a virtual host in place and reloads gracefully."""

    async def discover(self, server: ServerDefinition) -> Inventory:
        """Virtual hosts as the server itself resolves its configuration."""
        return apache.inventory(server, await apache.read_configuration(server))

    async def check(self, server: ServerDefinition) -> None:
        """`-t`, then every certificate with its key."""
        result = await self._run(server, self.check_command(server))
        if result.exit_code != 0:
            message = f"the configuration check ended with {result.exit_code}"
            raise ConfigurationCheckFailedError(message, words=result.words)
        for node in (await self.discover(server)).nodes:
            if node.files and node.management.reason != "KeyEncrypted" and (bad := pair_problem(node.files)):
                raise ConfigurationCheckFailedError(
                    f"{node.source}: a reload would end the server", words=bad
                )

    def check_command(self, server: ServerDefinition) -> tuple[str, ...]:
        """`-t`."""
        return server.commands.check or apache.command(server, "-t")

    def reload_command(self, server: ServerDefinition) -> tuple[str, ...]:
        """`-k graceful`: old children finish what they serve."""
        return server.commands.reload or apache.command(server, "-k", "graceful")

    async def restart(self, server: ServerDefinition) -> None:
        """`-k restart`: children end at once, the main process reads everything anew."""
        command = server.commands.restart or apache.command(server, "-k", "restart")
        result = await self._run(server, command)
        if result.exit_code != 0:
            raise ReloadFailedError(f"the restart command ended with {result.exit_code}", words=result.words)

    async def start(self, server: ServerDefinition) -> None:
        """Start after a death, over the PID file of a zombie."""
        pid_file = await self.pid_file(server)
        if pid_file and is_zombie(pid_file):
            pid_file.unlink(missing_ok=True)
        result = await self._run(server, server.commands.start or apache.command(server, "-k", "start"))
        if result.exit_code != 0:
            raise ReloadFailedError(f"the start command ended with {result.exit_code}", words=result.words)

    async def pid_file(self, server: ServerDefinition) -> Path | None:
        """What `-D DUMP_RUN_CFG` prints."""
        return (await apache.read_configuration(server)).pid_file

    async def recent_words(self, server: ServerDefinition) -> str:
        """The end of the main error log."""
        log = (await apache.read_configuration(server)).error_log
        return tail(log) if log else ""


def tail(log: Path) -> str:
    """The end of a log file, or nothing when it can't be read (a pipe, syslog)."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - WORDS_LIMIT))
            return last_words(file.read(WORDS_LIMIT).decode("utf-8", "replace"))
    except OSError:
        return ""
