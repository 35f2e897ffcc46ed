"""Where to dial, when the host reaches the hub by another address than the token says."""

from dataclasses import dataclass

from agents.runtime.errors import AgentError
from agents.runtime.first_contact import split_address


class HubAddressMalformed(AgentError):
    """The hub's address is not HOST or HOST:PORT."""

    code = "HubAddressMalformed"


@dataclass(frozen=True, slots=True)
class Dialled:
    """An address, and what follows from its not being the hub's own."""

    address: str
    """HOST:PORT of the enrollment listener."""
    server_name: str = ""
    """Name that the hub's certificate carries, where it is not the host dialled."""
    host: str = ""
    """The host to dial instead of the hub's own; empty: the hub's own."""

    def moved(self, address: str) -> str:
        """Another address of the same hub, as this host reaches it."""
        return join(self.host, split_address(address)[1]) if self.host else address


def join(host: str, port: int) -> str:
    """HOST:PORT, with brackets where the host is an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def dial(address: str, other: str | None) -> Dialled:
    """The token's address, or the other: HOST, HOST:PORT, or an URL of either. Raises HubAddressMalformed."""
    if not other:
        return Dialled(address)
    own_host, own_port = split_address(address)
    bare = other.partition("://")[2] or other
    bare = bare.partition("/")[0]
    try:
        host, port = _split(bare, own_port)
    except ValueError as fault:
        raise HubAddressMalformed(f"{other!r} is not HOST or HOST:PORT") from fault
    if not host:
        raise HubAddressMalformed(f"{other!r} names no host")
    if host == own_host:
        return Dialled(join(host, port))
    return Dialled(join(host, port), own_host, host)


def _split(text: str, default_port: int) -> tuple[str, int]:
    if text.endswith("]") or (text.count(":") > 1 and not text.startswith("[")):
        return text.removeprefix("[").removesuffix("]"), default_port
    host, colon, port = text.rpartition(":")
    return (host.removeprefix("[").removesuffix("]"), int(port)) if colon else (text, default_port)
