"""A real DNS server on loopback (dnslib), whose zone a test writes, and which can be ill in several ways."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, TXT, A
from dnslib.server import BaseResolver, DNSLogger, DNSServer

_DATA = {"A": A, "AAAA": AAAA, "CNAME": CNAME}


def _chunks(value: str) -> list[bytes]:
    data = value.encode()
    return [data[start : start + 255] for start in range(0, len(data), 255)] or [b""]


@dataclass
class Zone(BaseResolver):
    """Records by name and type. ``answers`` gives a different set to each question (rebinding)."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    answers: dict[tuple[str, str], list[list[str]]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    authenticated: bool = False
    asked: Counter = field(default_factory=Counter)
    released: threading.Event = field(default_factory=threading.Event)

    def set(self, name: str, kind: str, *values: str) -> None:
        self.records[name.lower(), kind] = list(values)

    def clear(self, name: str, kind: str) -> None:
        self.records.pop((name.lower(), kind), None)

    def resolve(self, request, _handler):
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        self.asked[name, kind] += 1
        if name in self.silent:
            self.released.wait(30)
        reply = request.reply()
        reply.header.ad = int(self.authenticated)
        if name in self.broken:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        if not self._fill(reply, name, kind):
            reply.header.rcode = RCODE.NXDOMAIN
        return reply

    def _fill(self, reply, name: str, kind: str, depth: int = 0) -> bool:
        """Follow CNAMEs as a recursive server does."""
        if kind != "CNAME" and (name, "CNAME") in self.records and depth < 12:
            target = self.records[name, "CNAME"][0]
            self._add(reply, name, "CNAME", [target])
            return self._fill(reply, target.rstrip(".").lower(), kind, depth + 1)
        turns = self.answers.get((name, kind))
        values = turns.pop(0) if turns else self.records.get((name, kind), [])
        self._add(reply, name, kind, values)
        return bool(values) or any(known == name for known, _ in self.records)

    def _add(self, reply, name: str, kind: str, values: list[str]) -> None:
        for value in values:
            data = TXT(_chunks(value)) if kind == "TXT" else _DATA[kind](value)
            reply.add_answer(RR(name, getattr(QTYPE, kind), rdata=data, ttl=0))


class LoopbackDns:
    """The server, on UDP and TCP of one free port."""

    def __init__(self) -> None:
        self.zone = Zone()
        logger = DNSLogger(log="-request,-reply,-truncated,-error,-recv,-send,-data", prefix=False)
        for _ in range(50):
            self._udp = DNSServer(self.zone, address="127.0.0.1", port=0, logger=logger)
            self.port: int = self._udp.server.server_address[1]
            try:
                self._tcp = DNSServer(self.zone, address="127.0.0.1", port=self.port, tcp=True, logger=logger)
            except OSError:
                self._udp.server.server_close()
                continue
            break
        for server in (self._udp, self._tcp):
            threading.Thread(target=server.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.zone.released.set()
        for server in (self._udp, self._tcp):
            server.server.shutdown()
            server.server.server_close()
