"""The scan loop: one thread, non-blocking sockets, no frameworks.

A target goes through connect, hello and verdict on one socket; a server that wants TLS 1.3 gets a second
socket. The engine owns no thread and no time of its own: a caller drives it by `step`, and a caller that
can't take more results for now passes `accepting=False`, upon which what is under way is finished and nothing
new is begun. Each stage has one deadline as a whole, so a server can't hold a place by dripping bytes.

Per target on Linux this makes six system calls (socket, connect, epoll_ctl, send, recv, close); everything
else here is arranged so that Python's share stays near theirs.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections import deque
from socket import SocketType
from typing import TYPE_CHECKING

from agents.network.scanner.client_hello import tls12_client_hello
from agents.network.scanner.hello import PartialHello
from agents.network.scanner.hello13 import KeyShares, Tls13Hello
from agents.network.scanner.intake import Intake
from agents.network.scanner.lookups import Lookups
from agents.network.scanner.observation import (
    CONNECT_TIMED_OUT,
    HELLO_TIMED_OUT,
    LOCAL_SHORTAGE,
    NO_LOCAL_RESOURCES,
    PORT_OPEN,
    Observation,
    Status,
    Verdict,
    observe,
    verdict_of_errno,
    verdict_of_outcome,
)
from agents.network.scanner.outcomes import AlertSeen, ChainSeen, NeedsTls13, Outcome
from agents.network.scanner.pacing import RandomPool, RateLimit
from agents.network.scanner.poller import BROKEN, MAX_EVENTS, READABLE, Poller, best_poller
from agents.network.scanner.probe import Probe, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agents.network.scanner.conversation import Conversation
    from agents.network.scanner.options import ScanOptions
    from agents.network.scanner.targets import TargetPlan

# Alerts by which servers that only speak TLS 1.3 turn a TLS 1.2 hello down: the right one, and what is met.
_TRY_TLS13 = frozenset({40, 47, 70, 71, 80})
_PROTOCOL_VERSION = 70

_NONBLOCKING_STREAM = socket.SOCK_STREAM | getattr(socket, "SOCK_NONBLOCK", 0)
_IN_PROGRESS = frozenset({0, errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", 10035)})

_STARTS_A_STEP = 64
_RATE_PAUSE_S = 0.002
_SHORTAGE_PAUSE_S = 0.05
_SHORTAGE_TRIES = 200
_READ_BYTES = 1 << 16


class Engine:
    """Runs one share of a plan: every `stride`-th position from `first` on."""

    def __init__(
        self,
        plan: TargetPlan,
        options: ScanOptions,
        *,
        first: int = 0,
        stride: int = 1,
        allowed: Callable[[str], bool] | None = None,
        lookups: Lookups | None = None,
        poller: Poller | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`allowed` is asked about every address before anything is sent to it."""
        self._options = options
        self._clock = clock
        self._poller = poller or best_poller()
        self._lookups = lookups or Lookups(options.lookup_timeout_s)
        self._intake = Intake(
            plan, self._lookups, first=first, stride=stride, per_host=options.per_host, allowed=allowed
        )
        self._rate = RateLimit(options.rate, clock())
        self._active: dict[int, Probe] = {}
        self._connects: deque[tuple[float, Probe]] = deque()
        self._hellos: deque[tuple[float, Probe]] = deque()
        self._paused_until = 0.0
        self._shares = KeyShares()
        self._random = RandomPool()
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._lookups_fd = -1

    # What callers use.

    @property
    def done(self) -> bool:
        """Everything in this share is finished."""
        return self._intake.done

    @property
    def cursor(self) -> int:
        """All positions of this share below it are finished; the plan's total at the end."""
        return self._intake.cursor

    @property
    def finished(self) -> int:
        """How many positions this engine has finished."""
        return self._intake.finished

    def step(self, *, accepting: bool = True, max_wait_s: float = 0.25) -> list[Observation]:
        """Begin what may begin, wait for the network at most `max_wait_s`, return what has ended."""
        now = self._clock()
        more = accepting and now >= self._paused_until and self._begin(now)
        events = self._poller.poll(0.0 if more else self._wait_s(now, max_wait_s, accepting=accepting))
        for descriptor, flags in events:
            self._handle(descriptor, flags)
        # After a full list there may be answers not yet seen: nothing is declared late before they are.
        if len(events) < MAX_EVENTS:
            now = self._clock()
            self._expire(now)
            self._intake.settle(now)
        return self._intake.collect()

    def run(self, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Observation]:
        """All observations of the share; ends early, within a quarter of a second, once `cancelled()`."""
        try:
            while not self.done and not cancelled():
                yield from self.step()
        finally:
            self.close()

    def close(self) -> None:
        """Drop every connection and lookup."""
        for probe in self._active.values():
            probe.sock.close()
        self._active.clear()
        self._poller.close()
        self._lookups.close()

    # Beginning.

    def _begin(self, now: float) -> bool:
        """Begin a few dozen connects as far as limits allow; whether more could begin at once."""
        for _ in range(min(self._rate.allowance(now), _STARTS_A_STEP)):
            if len(self._active) >= self._options.concurrency:
                return False
            probe = self._intake.take(now)
            if probe is None:
                break
            if not self._connect(probe, now):
                return False
        self._watch_lookups()
        return self._rate.ready and self._intake.waiting

    def _watch_lookups(self) -> None:
        """Listen to the resolver, once there is one."""
        if self._lookups_fd < 0 and self._lookups.descriptor is not None:
            self._lookups_fd = self._lookups.descriptor
            self._poller.watch(self._lookups_fd)

    # Connecting.

    def _connect(self, probe: Probe, now: float) -> bool:
        """Begin to connect; False if this host has no sockets or ports left for now."""
        family = socket.AF_INET6 if ":" in probe.address else socket.AF_INET
        try:
            # The class in C that `socket.socket` wraps: the wrapper costs more than the rest of this method.
            sock = SocketType(family, _NONBLOCKING_STREAM)
        except OSError as error:
            return self._fall_short(probe, error.errno or errno.EMFILE, now)
        if _NONBLOCKING_STREAM == socket.SOCK_STREAM:
            sock.setblocking(False)
        number = sock.connect_ex((probe.address, probe.port))
        if number not in _IN_PROGRESS:
            sock.close()
            return self._fall_short(probe, number, now)
        self._rate.take()
        probe.sock = sock
        probe.stage = Stage.CONNECTING
        self._active[sock.fileno()] = probe
        self._connects.append((now + self._options.connect_timeout_s, probe))
        self._poller.add(sock.fileno())
        return True

    def _fall_short(self, probe: Probe, number: int, now: float) -> bool:
        """A connect that failed at once: over, or tried again once this host has what it takes."""
        if number not in LOCAL_SHORTAGE:
            self._rate.take()
            self._end(probe, verdict_of_errno(number))
            return True
        probe.shortages += 1
        if probe.shortages > _SHORTAGE_TRIES:
            self._end(probe, NO_LOCAL_RESOURCES._replace(detail=os.strerror(number)))
            return True
        self._intake.put_back(probe)
        self._paused_until = now + _SHORTAGE_PAUSE_S
        return False

    def _handle(self, descriptor: int, flags: int) -> None:
        probe = self._active.get(descriptor)
        if probe is None:
            if descriptor == self._lookups_fd:
                self._lookups.collect()
            return
        if probe.stage is Stage.CONNECTING and not self._connected(probe, descriptor, flags):
            return
        conversation = probe.conversation
        if conversation is not None and flags & (READABLE | BROKEN):
            self._read(probe, conversation, to_end=bool(flags & BROKEN))

    def _connected(self, probe: Probe, descriptor: int, flags: int) -> bool:
        """Send the hello; False if that was the end of the probe."""
        if flags & BROKEN or self._poller.portable:
            number = probe.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                self._finish(probe, verdict_of_errno(number))
                return False
        if self._options.sweep_only:
            self._finish(probe, PORT_OPEN)
            return False
        self._poller.connected(descriptor)
        probe.stage = Stage.TALKING
        self._hellos.append((self._clock() + self._options.hello_timeout_s, probe))
        conversation = probe.conversation = self._conversation(probe)
        return self._send(probe, conversation, conversation.start())

    def _conversation(self, probe: Probe) -> Conversation:
        limit = self._options.flight_limit_bytes
        if probe.tls13:
            return Tls13Hello(name=probe.name, random=self._random.take(64), shares=self._shares, limit=limit)
        return PartialHello(tls12_client_hello(name=probe.name, random=self._random.take(32)), limit)

    # Talking.

    def _send(self, probe: Probe, conversation: Conversation, data: bytes) -> bool:
        """Send a whole hello; False if that was the end of the probe."""
        try:
            # A hello is far smaller than an empty send buffer, so it goes as a whole or not at all.
            if not data or probe.sock.send(data) == len(data):
                return True
        except OSError:
            pass
        self._decide(probe, conversation.closed())
        return False

    def _read(self, probe: Probe, conversation: Conversation, *, to_end: bool) -> None:
        """Read what there is. Edge-triggered: a short read means empty, unless the end has been announced."""
        while True:
            try:
                count = probe.sock.recv_into(self._buffer)
            except BlockingIOError:
                return
            except OSError:
                count = 0
            if not count:
                self._decide(probe, conversation.closed())
                return
            outcome = conversation.receive(bytes(self._buffer[:count]))
            if outcome is not None:
                self._decide(probe, outcome)
                return
            reply = conversation.data_to_send()
            if reply and not self._send(probe, conversation, reply):
                return
            if count < _READ_BYTES and not to_end:
                return

    def _decide(self, probe: Probe, outcome: Outcome) -> None:
        """The end of a conversation: a verdict, or another try with TLS 1.3."""
        if not probe.tls13:
            if isinstance(outcome, NeedsTls13):
                self._try_again(probe, None)
                return
            if isinstance(outcome, AlertSeen) and outcome.code in _TRY_TLS13:
                self._try_again(probe, outcome)
                return
        if isinstance(outcome, ChainSeen):
            self._drop(probe)
            chain, version = outcome.chain, outcome.version
            self._intake.end(
                probe, Observation(probe.address, probe.port, probe.name, Status.OK, chain, version)
            )
            return
        # Two refusals: the first says more, unless it was about the version only.
        first = probe.refusal
        if first is not None and first.code != _PROTOCOL_VERSION and isinstance(outcome, AlertSeen):
            outcome = first
        self._finish(probe, verdict_of_outcome(outcome))

    def _try_again(self, probe: Probe, refusal: AlertSeen | None) -> None:
        """The same target with TLS 1.3 on a new socket; it keeps its place at the host."""
        self._drop(probe)
        self._intake.retry(probe.again_with_tls13(refusal))

    # Ending.

    def _drop(self, probe: Probe) -> None:
        """Close the socket."""
        probe.stage = Stage.OVER
        # The deadline lists keep the probe for a while; what it read need not wait with it.
        probe.conversation = None
        descriptor = probe.sock.fileno()
        self._poller.forget(descriptor)
        del self._active[descriptor]
        probe.sock.close()

    def _finish(self, probe: Probe, verdict: Verdict) -> None:
        self._drop(probe)
        self._end(probe, verdict)

    def _end(self, probe: Probe, verdict: Verdict) -> None:
        self._intake.end(probe, observe(probe.address, probe.port, probe.name, verdict))

    # Time.

    def _expire(self, now: float) -> None:
        for deadlines, stage, verdict in (
            (self._connects, Stage.CONNECTING, CONNECT_TIMED_OUT),
            (self._hellos, Stage.TALKING, HELLO_TIMED_OUT),
        ):
            while deadlines and deadlines[0][0] <= now:
                _, probe = deadlines.popleft()
                if probe.stage is stage:
                    self._finish(probe, verdict)

    def _wait_s(self, now: float, max_wait_s: float, *, accepting: bool) -> float:
        """How long there is nothing to do unless the network says so."""
        until = now + max_wait_s
        for deadlines, stage in ((self._connects, Stage.CONNECTING), (self._hellos, Stage.TALKING)):
            while deadlines and deadlines[0][1].stage is not stage:
                deadlines.popleft()
            if deadlines:
                until = min(until, deadlines[0][0])
        lookup = self._lookups.next_deadline()
        if lookup is not None:
            until = min(until, lookup)
        if accepting and len(self._active) < self._options.concurrency and self._intake.waiting:
            # A few connects at a time: waking up for each would cost as much as the connect itself.
            pause = 0.0 if self._rate.ready else max(self._rate.wait_s(), _RATE_PAUSE_S)
            until = min(until, max(self._paused_until, now + pause))
        return max(0.0, until - now)
