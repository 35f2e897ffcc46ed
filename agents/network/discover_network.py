"""The command Discover Network: a scan whose finds go to the hub in batches, resumable by its cursor."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import cast

from agents.network.policy_checks import allowed_addresses, scan_spec
from agents.network.scanner.batch import Batch, CertificateSeen, EndpointSeen
from agents.network.scanner.observation import Status
from agents.network.scanner.options import ScanOptions
from agents.network.scanner.service import scan
from agents.runtime.commands import DiscoverNetwork, Endpoint, NetworkDiscovered, NetworkFinds
from agents.runtime.handlers import CommandContext, ResumePoint
from agents.runtime.policy import Policy

MAX_PART_BYTES = 1024 * 1024
MAX_PART_ENDPOINTS = 2000
MAX_PATIENCE_S = 60.0
_CURSOR_EVERY_S = 15.0

_OPEN = (Status.OK, Status.OPEN, Status.NOT_TLS, Status.TLS_FAILED)
_LISTED = {
    Status.OK: "ok",
    Status.OPEN: "not_tls",
    Status.NOT_TLS: "not_tls",
    Status.TLS_FAILED: "tls_failed",
    # The port is open (a connect that timed out is not listed), and what is behind it keeps silent.
    Status.TIMEOUT: "not_tls",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Counts of a scan, kept beside the cursor so that a resumed scan counts on."""

    open: int = 0
    closed: int = 0
    silent: int = 0
    certificates: int = 0

    @classmethod
    def from_memo(cls, memo: str) -> "Tally":
        """The counts at a resume point."""
        return cls(**json.loads(memo)) if memo else cls()

    def memo(self) -> str:
        """The counts for a resume point."""
        return json.dumps(asdict(self))


class DiscoverNetworkHandler:
    """Scans what the command asks for, within what the policy allows at that moment."""

    def __init__(self, policy: Callable[[], Policy]) -> None:
        self._policy = policy

    async def run(self, body: DiscoverNetwork, context: CommandContext) -> NetworkDiscovered:
        """Scan from the start."""
        return await self.resume(body, context, ResumePoint())

    async def resume(
        self, body: DiscoverNetwork, context: CommandContext, point: ResumePoint
    ) -> NetworkDiscovered:
        """Scan from a cursor on."""
        policy = self._policy()
        spec = scan_spec(body, seed=_seed(context.command_id))
        reporter = _Reporter(context, Tally.from_memo(point.memo), point.cursor)
        # The generator's end stops the scan's workers, whatever ends it.
        batches = scan(
            spec,
            options=scan_options(body, policy),
            cursor=point.cursor,
            cancelled=asyncio.Event(),
            allowed=allowed_addresses(policy),
        )
        total = 0
        async with aclosing(cast("AsyncGenerator[Batch, None]", batches)):
            async for batch in batches:
                total = batch.total
                await reporter.take(batch)
        tally = reporter.tally
        return NetworkDiscovered(
            targets=total,
            open=tally.open,
            closed=tally.closed,
            silent=tally.silent,
            certificates=tally.certificates,
        )


def _seed(command_id: str) -> int:
    # A resumed scan must visit the targets in the same order, or its cursor would mean nothing.
    return int.from_bytes(hashlib.sha256(command_id.encode()).digest()[:4], "big")


def scan_options(body: DiscoverNetwork, policy: Policy) -> ScanOptions:
    """The command's wishes, within the policy's rate."""
    options = ScanOptions()
    rate = float(body.connects_per_second or options.rate)
    options = replace(options, rate=min(rate, float(policy.scan.max_connects_per_second)))
    if body.concurrency:
        options = replace(options, concurrency=body.concurrency)
    if body.timeout_ms:
        patience_s = min(body.timeout_ms / 1000, MAX_PATIENCE_S)
        options = replace(options, connect_timeout_s=patience_s, hello_timeout_s=patience_s)
    return options


class _Reporter:
    """Turns the scan's batches into those of the protocol."""

    def __init__(self, context: CommandContext, start: Tally, cursor: int) -> None:
        self._context = context
        self._start = start
        self._cursor = cursor
        self._certificates = 0
        self._mute = 0
        self._last = time.monotonic()
        self.tally = start

    async def take(self, batch: Batch) -> None:
        """Count, tell how far it is, and hand over what was found."""
        self._certificates += len(batch.certificates)
        self._mute += sum(1 for seen in batch.endpoints if seen.status is Status.TIMEOUT)
        self.tally = self._counted(batch)
        self._context.progress(batch.progress, f"{batch.finished} of {batch.total} targets")
        due = time.monotonic() - self._last >= _CURSOR_EVERY_S
        if batch.endpoints or batch.certificates or batch.done or due:
            for part in _parts(batch, self._cursor):
                await self._context.emit(part, memo=self.tally.memo())
            self._cursor = batch.cursor
            self._last = time.monotonic()

    def _counted(self, batch: Batch) -> Tally:
        counts = batch.counts
        opened = sum(counts.get(status, 0) for status in _OPEN) + self._mute
        closed = counts.get(Status.CLOSED, 0)
        everything = sum(counts.values())
        return Tally(
            open=self._start.open + opened,
            closed=self._start.closed + closed,
            silent=self._start.silent + everything - opened - closed,
            certificates=self._start.certificates + self._certificates,
        )


def _parts(batch: Batch, cursor: int) -> Iterator[NetworkFinds]:
    """Parts that fit into messages: certificates first; only the last part moves the cursor."""
    listed = [seen for seen in batch.endpoints if seen.status in _LISTED]
    now = datetime.now(UTC)
    certificates = list(_sized(batch.certificates))
    endpoints = [
        listed[start : start + MAX_PART_ENDPOINTS] for start in range(0, len(listed), MAX_PART_ENDPOINTS)
    ]
    pairs: list[tuple[tuple[bytes, ...], list[EndpointSeen]]] = [(part, []) for part in certificates[:-1]]
    last_certificates = certificates[-1] if certificates else ()
    pairs += [((), part) for part in endpoints[:-1]] if not last_certificates else []
    if last_certificates:
        pairs.append((last_certificates, endpoints[0] if endpoints else []))
        pairs += [((), part) for part in endpoints[1:]]
    else:
        pairs.append(((), endpoints[-1] if endpoints else []))
    for number, (certificate_part, endpoint_part) in enumerate(pairs, start=1):
        yield NetworkFinds(
            certificates=certificate_part,
            endpoints=tuple(_endpoint(seen, now) for seen in endpoint_part),
            cursor=batch.cursor if number == len(pairs) else cursor,
            targets_done=batch.finished,
            targets_total=batch.total,
        )


def _sized(certificates: tuple[CertificateSeen, ...]) -> Iterator[tuple[bytes, ...]]:
    part: list[bytes] = []
    size = 0
    for seen in certificates:
        if part and size + len(seen.der) > MAX_PART_BYTES:
            yield tuple(part)
            part, size = [], 0
        part.append(seen.der)
        size += len(seen.der)
    if part:
        yield tuple(part)


def _endpoint(seen: EndpointSeen, now: datetime) -> Endpoint:
    return Endpoint(
        address=seen.address,
        port=seen.port,
        server_name=seen.name or "",
        chain_sha256=seen.fingerprints,
        status=_LISTED[seen.status],
        reason=seen.reason,
        protocol=seen.version,
        hostname="",
        seen_at=now,
        partial=seen.partial,
    )
