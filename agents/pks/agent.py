"""The PKS agent: keeps private keys, makes CSRs, lets a key out only sealed and to whom its policy names."""

from agents.pks.key_files import ExportKeyFileHandler, ImportKeyHandler
from agents.runtime.handlers import AgentKind, Outfit, Tools, Uplink
from agents.runtime.key_commands import (
    DeleteKeyHandler,
    ExportKeyHandler,
    GenerateCertificateHandler,
    StoreCertificateHandler,
)
from agents.runtime.policy import BASE_CHECKS

COMMANDS = (
    "GenerateCertificate",
    "StoreCertificate",
    "ExportKey",
    "DeleteKey",
    "ExportKeyFile",
    "ImportKey",
)


async def build(tools: Tools, uplink: Uplink) -> Outfit:
    """Construct the handlers."""
    del uplink  # nothing to tell unasked
    return Outfit(
        handlers={
            "GenerateCertificate": GenerateCertificateHandler(tools.keys),
            "StoreCertificate": StoreCertificateHandler(tools.keys, tools.receiver_key, tools.agent_id),
            "ExportKey": ExportKeyHandler(tools.keys, tools.agent_id),
            "DeleteKey": DeleteKeyHandler(tools.keys),
            "ExportKeyFile": ExportKeyFileHandler(tools.keys, tools.agent_id),
            "ImportKey": ImportKeyHandler(tools.keys, tools.receiver_key, tools.agent_id),
        },
        checks=BASE_CHECKS,
    )


KIND = AgentKind(name="pks", commands=COMMANDS, build=build)
