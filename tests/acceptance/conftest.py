"""Worlds to break: a template is initialized once, each test breaks a copy of its own."""

import asyncio
import fcntl
import itertools
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from tests.acceptance.world import World
from tests.integration.issuers.private_postgres import running_postgres


@pytest.fixture(scope="session")
def short_folder():
    """Unix sockets and Apache's mutexes want short paths, and www-data must get through."""
    folder = Path(tempfile.mkdtemp(prefix="cw-acceptance-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(tmp_path_factory, worker_id):
    """Made by the first of the test processes that needs it, for all of them."""
    own = tmp_path_factory.getbasetemp()
    folder = own if worker_id == "master" else own.parent
    with (folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = folder / "template"
        if not made.exists():
            unfinished = folder / "template.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            World.create(unfinished).folder.rename(made)
    return World(made)


@pytest.fixture(scope="session")
def copies(short_folder, template):
    """Makes worlds on SQLite; whoever takes one stops it."""
    count = itertools.count()
    return lambda: World.copy_of(template, short_folder / f"{next(count)}")


class Postgres:
    """A private PostgreSQL server, and databases on it."""

    def __init__(self, folder):
        self._folder = folder
        self._count = itertools.count()

    def url(self, name):
        return f"postgresql://certwright@/{name}?host={self._folder}"

    def create(self, *, template=None):
        name = f"hub_{next(self._count)}"
        source = f" TEMPLATE {urlsplit(template).path.removeprefix('/')}" if template else ""
        asyncio.run(self._execute(f"CREATE DATABASE {name}{source}"))
        return self.url(name)

    async def _execute(self, statement):
        connection = await asyncpg.connect(self.url("postgres"))
        await connection.execute(statement)
        await connection.close()


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as folder:
        yield Postgres(folder)


@pytest.fixture(scope="session")
def postgres_copies(short_folder, postgres):
    """Makes worlds on PostgreSQL."""
    template = World.create(short_folder / "postgres", database_url=postgres.create())
    count = itertools.count()
    return lambda: World.copy_of(
        template,
        short_folder / f"p{next(count)}",
        database_url=postgres.create(template=template.hub.database_url),
    )


@contextmanager
def ended(world):
    """Stops a world in the end, and looks into its logs."""
    try:
        yield world
    finally:
        world.stop()
    assert world.troubles() == []


@pytest.fixture
def world(copies):
    """A world of one test's own, nothing started."""
    with ended(copies()) as world:
        yield world


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def either_world(request):
    """As `world`, once on each kind of database."""
    name = "copies" if request.param == "sqlite" else "postgres_copies"
    with ended(request.getfixturevalue(name)()) as world:
        yield world


@pytest.fixture(scope="module")
def hub_only(copies):
    """A hub without agents that the tests of a module share."""
    with ended(copies()) as world:
        world.start_hub()
        yield world


@pytest.fixture(scope="module")
def calm(copies):
    """A hub with both agents that the tests of a module share: none of them kills anything."""
    with ended(copies()) as world:
        world.start_hub()
        world.start_agents()
        yield world
