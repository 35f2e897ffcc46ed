"""What the local policy says to the network agent's commands, on top of the checks of every agent."""

from dataclasses import replace

from agents.network.scanner.addresses import AddressSet, subtract
from agents.network.scanner.errors import ScanError
from agents.network.scanner.ports import PortSet
from agents.network.scanner.targets import ScanRange, ScanSpec, outside
from agents.runtime.commands import DiscoverNetwork, InstallCertificate, RestartServer
from agents.runtime.policy import BASE_CHECKS, REFUSED, Policy, PolicyCheck, PolicyQuestion
from pki.findings import Finding

DEFAULT_PORTS = "443"
_NAMED = 3


def scan_spec(body: DiscoverNetwork, *, seed: int = 0) -> ScanSpec:
    """The command's targets as the scanner understands them. Raises ScanError for what it can't."""
    ranges = tuple(
        ScanRange.parse(entry.target, PortSet.parse(",".join(entry.ports) or DEFAULT_PORTS))
        for entry in body.ranges
    )
    empty = ScanSpec.parse((), DEFAULT_PORTS, exclude=body.exclusions, seed=seed)
    return replace(empty, ranges=ranges)


def allowed_addresses(policy: Policy) -> AddressSet:
    """What may be connected to; also asked for every address that a name turns out to have."""
    allowed, denied = (AddressSet.of_networks(part) for part in (policy.scan.allow, policy.scan.deny))
    return AddressSet(subtract(allowed.intervals, denied.intervals))


def scan_outside_policy(question: PolicyQuestion) -> Finding | None:
    """Every address of the ranges must be allowed; names are checked once they are resolved."""
    body = question.command.body
    if not isinstance(body, DiscoverNetwork):
        return None
    try:
        foreign = outside(allowed_addresses(question.policy), scan_spec(body))
    except ScanError as fault:
        return Finding(fault.code, str(fault))
    if not foreign:
        return None
    named = ", ".join(interval.text() for interval in foreign[:_NAMED])
    more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
    return Finding(REFUSED, f"the local policy does not allow scanning {named}{more}")


def server_not_allowed(question: PolicyQuestion) -> Finding | None:
    """Certificates are installed on the servers that the policy names; paths are checked when planned."""
    match question.command.body:
        case InstallCertificate() as body:
            servers, what = [target.server for target in body.targets], "installing on"
        case RestartServer() as body:
            servers, what = [body.server], "restarting"
        case _:
            return None
    for server in servers:
        if not question.policy.may_manage(server):
            return Finding(REFUSED, f"the local policy does not allow {what} {server[:100]}")
    return None


NETWORK_CHECKS: tuple[PolicyCheck, ...] = (*BASE_CHECKS, scan_outside_policy, server_not_allowed)
