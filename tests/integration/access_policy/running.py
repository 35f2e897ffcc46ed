"""The hub's own web application on a free port, over SQLite, in a thread; and a client for it.

Everything is as ``hub serve`` wires it, but the gRPC listeners and background jobs: what is walked is REST.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web
from sqlalchemy import select

from hub.access.api_tokens import PREFIX as TOKEN_PREFIX
from hub.access.models import ApiToken, RoleGrantRow
from hub.access.policy import PolicyAuthorizer, types_of
from hub.access.sessions import token_sha256
from hub.access.visibility import types_key
from hub.composition import RouteParts, Services, build_route_sets, build_services
from hub.config import load_settings
from hub.db.append_only import protect
from hub.db.outbox import Event
from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.fleet.authority import create_authority
from hub.fleet.enrollment import Addresses
from hub.http.metrics import HttpMetrics
from hub.http.principal import SYSTEM
from hub.http.shell import ShellOptions, build_application
from hub.issuers.service import HierarchySpec
from hub.organizations.models import Department, Domain, Organization
from pki.at_rest import KeyEncryptionKey, new_key
from tests.integration.access_policy.callers import (
    CALLERS,
    IN,
    IN_DEPARTMENT,
    IN_SIBLING,
    OUT,
    OUT_DEPARTMENT,
    Caller,
)
from tests.integration.access_policy.places import NOWHERE, Place
from tests.integration.access_policy.routes import At, new_number
from tests.integration.access_policy.things import (
    KINDS,
    PREFIX,
    Thing,
    administrator_row,
    agent_row,
    make,
    profile_row,
)

T = TypeVar("T")
_AGENTS: dict[int | None, str] = {
    IN: "71000010-0000-4000-8000-000000000000",
    OUT: "72000020-0000-4000-8000-000000000000",
    None: "73000030-0000-4000-8000-000000000000",
}
NO_AGENT = "99990010-0000-4000-8000-000000000000"
_PROFILES = {IN: 7_400_001, OUT: 7_400_002, None: 7_400_003}


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    text: str
    media_type: str

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


@dataclass
class Installation:
    """A running hub with two organizations, the callers' tokens, and whatever was made in it."""

    db: Database
    services: Services
    loop: asyncio.AbstractEventLoop
    port: int
    backend: int
    tokens: dict[str, str]
    by_marker: dict[str, Thing] = field(default_factory=dict)

    @property
    def things(self) -> list[Thing]:
        """Everything that was made, in that order."""
        return list(self.by_marker.values())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the hub's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def make(self, kind: str, place: str) -> Thing:
        """Make a new thing."""
        return self.run(self._make(kind, place))

    async def _make(self, kind: str, place: str) -> Thing:
        async with self.db.write() as uow:
            made = await make(uow.session, kind, place, agents=_AGENTS, backend=self.backend)
        self.by_marker[made.marker] = made
        return made

    def forget(self, thing: Thing) -> None:
        """No longer expect a thing to be where it was made."""
        del self.by_marker[thing.marker]

    def row(self, thing: Thing) -> dict[str, Any] | None:
        """Return the stored row of a thing."""
        return self.run(self._row(thing))

    async def _row(self, thing: Thing) -> dict[str, Any] | None:
        kind = KINDS[thing.kind]
        table = kind.model.__table__
        key = table.primary_key.columns[0] if kind.key != "id" else table.c.id
        async with self.db.read() as session:
            found = (
                await session.execute(select(table).where(key == key.type.python_type(thing.id)))
            ).mappings()
            row = found.first()
        return None if row is None else dict(row)

    def at(self, place: Place, thing: Thing | None = None) -> At:
        """Return what bodies about ``place`` are made of."""
        nowhere = place.name == NOWHERE.name
        certificate = str(place.department or 9_999_003)
        if not nowhere and thing is None:
            certificate = self.make("certificate", place.name).id
        return At(
            place=place,
            agent=NO_AGENT if nowhere else _AGENTS[place.organization],
            certificate=thing.id if thing is not None and thing.kind == "certificate" else certificate,
            profile=9_999_004 if nowhere else _PROFILES[place.organization],
            number=new_number(),
        )

    def call(
        self, caller: str, method: str, path: str, body: Any = None, *, accept: str = "application/json"
    ) -> Answer:
        """Send a request as one of the callers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Accept": accept}
        if caller in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[caller]}"
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body)
        try:
            connection.request(method, path, body=content, headers=headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        finally:
            connection.close()
        return Answer(response.status, text, response.headers.get_content_type())

    def events(self, caller: str) -> tuple[int, list[dict[str, Any]]]:
        """Return all events that a caller may follow, from the first on."""
        self.run(self._beacons())
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.tokens[caller]}"} if caller in self.tokens else {}
        found = []
        try:
            connection.request("GET", "/api/v1/events?last_event_id=0", headers=headers)
            response = connection.getresponse()
            if response.status != 200:
                return response.status, []
            for line in response:
                if line.startswith(b"data: "):
                    found.append(json.loads(line.removeprefix(b"data: ")))
                    if found[-1]["kind"] == "Beacon":
                        break
        finally:
            connection.close()
        return 200, found

    async def _beacons(self) -> None:
        """Tell everybody something, so that a reader knows that there is nothing more."""
        async with self.db.write() as uow:
            for organization in (IN, OUT):
                event = Event(
                    kind="Beacon",
                    object_type="organization",
                    object_id=str(organization),
                    organization_id=organization,
                )
                uow.emit(event)


@contextmanager
def running(folder: Path) -> Iterator[Installation]:
    """Run an installation for the length of a ``with`` block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="hub", daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(60)

    installation, runner = run(_start(folder, loop))
    try:
        yield installation
    finally:
        run(_stop(installation, runner))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(folder: Path, loop: asyncio.AbstractEventLoop) -> tuple[Installation, web.AppRunner]:
    # How surely somebody signed in for keys is asked elsewhere; here, who reaches which key.
    flags = {"data_dir": str(folder), "insecure_http": True, "key_access_requires": "none"}
    settings = load_settings(flags=flags, environment={})
    db = Database.open(f"sqlite:///{folder}/hub.db")
    async with db.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
        await connection.run_sync(protect, all_tables())
    kek = KeyEncryptionKey(new_key())
    async with db.write() as uow:
        authority = await create_authority(uow, kek)
    services = build_services(
        db,
        settings,
        kek=kek,
        authority=authority,
        status_url="https://hub.example",
        base_url="https://hub.example",
    )
    backend, tokens = await _furnish(db, services)
    addresses = Addresses()
    addresses.control, addresses.enrollment = "hub.example:1", "hub.example:2"
    parts = RouteParts(addresses=addresses, metrics=HttpMetrics(), base_url="https://hub.example")
    application = build_application(
        build_route_sets(services, parts).all,
        authenticator=services.access,
        authorizer=PolicyAuthorizer(),
        options=ShellOptions(over_tls=False),
    )
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    installation = Installation(
        db=db, services=services, loop=loop, port=runner.addresses[0][1], backend=backend, tokens=tokens
    )
    for kind in KINDS:
        for place in KINDS[kind].places:
            await installation._make(kind, place)
    return installation, runner


async def _stop(installation: Installation, runner: web.AppRunner) -> None:
    await runner.cleanup()
    await installation.services.lifecycle.close()
    await installation.db.close()


async def _furnish(db: Database, services: Services) -> tuple[int, dict[str, str]]:
    """Store what was there before anybody walks; return the CA backend and the callers' tokens."""
    hierarchy = await services.issuers.make_hierarchy(HierarchySpec(name="CA"))
    tokens = {}
    async with db.write() as uow:
        now, add = uow.now, uow.session.add
        for number, name in ((IN, f"{PREFIX}orgin"), (OUT, f"{PREFIX}orgout")):
            add(Organization(id=number, public_id=name, name=name, created_at=now))
        await uow.session.flush()
        for number, organization, name in (
            (IN_DEPARTMENT, IN, f"{PREFIX}deptin"),
            (IN_SIBLING, IN, f"{PREFIX}deptsibling"),
            (OUT_DEPARTMENT, OUT, f"{PREFIX}deptout"),
        ):
            add(Department(id=number, organization_id=organization, name=name, created_at=now))
        backend = await services.issuers.store_hierarchy(uow, hierarchy, principal=SYSTEM)
        for organization, agent_id in _AGENTS.items():
            add(agent_row(agent_id, f"agent of {organization}", organization))
            ids = None if organization is None else [organization]
            add(profile_row(_PROFILES[organization], f"profile of {organization}", backend, ids))
            if organization is not None:
                # So that requests for certificates fail for nothing but the policy.
                domain = Domain(
                    organization_id=organization, name="*.walk.example", state="approved", created_at=now
                )
                domain.certificate_types = ["ssl", "client", "code_signing", "device"]
                add(domain)
        for caller in CALLERS.values():
            if caller.grants:
                tokens[caller.name] = await _enter(uow, caller)
    return backend, tokens


async def _enter(uow: Any, caller: Caller) -> str:
    """Store a caller with roles and token; return the token."""
    row = administrator_row(
        caller.id, caller.name, active=caller.active, privileges=sorted(caller.privileges)
    )
    uow.session.add(row)
    await uow.session.flush()
    for grant in caller.grants:
        uow.session.add(
            RoleGrantRow(
                administrator_id=caller.id,
                role=grant.role.value,
                organization_id=grant.organization_id,
                department_id=grant.department_id,
                certificate_types=sorted(grant.certificate_types),
                types_key=types_key(types_of(grant)),
            )
        )
    token = f"{TOKEN_PREFIX}{caller.name}-token"
    uow.session.add(
        ApiToken(
            id=caller.id,
            administrator_id=caller.id,
            name="walk",
            token_sha256=token_sha256(token),
            hint=TOKEN_PREFIX,
            scopes=list(caller.scopes),
            created_at=uow.now,
        )
    )
    await uow.session.flush()
    return token
