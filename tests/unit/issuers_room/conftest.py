"""The issuers room on a SQLite file, with a clock that the test moves."""

from datetime import UTC, datetime, timedelta

import pytest

import hub.access.models
import hub.organizations.models  # noqa: F401 - declares the tables
from hub.db.base import Base
from hub.db.uow import Database
from hub.http.principal import SYSTEM
from hub.issuers.contract import CertificateOrder
from hub.issuers.service import HierarchySpec, IssuerService
from pki.at_rest import KeyEncryptionKey, new_key
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields

PUBLIC_URL = "http://hub.example.com:8080"


class MovableClock:
    def __init__(self):
        self.now = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)

    def __call__(self):
        return self.now

    def forward(self, **delta):
        self.now += timedelta(**delta)


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
async def db(tmp_path, clock):
    database = Database.open(f"sqlite:///{tmp_path / 'hub.db'}", clock=clock)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
def kek():
    return KeyEncryptionKey(new_key())


@pytest.fixture
def start(db, kek):
    """A hub process over the same database: nothing in memory yet."""

    def make(**options):
        return IssuerService(db, options.pop("kek", kek), **{"public_url": PUBLIC_URL} | options)

    return make


@pytest.fixture
def issuers(start):
    return start()


@pytest.fixture
def make_ca(db, issuers):
    async def make(name="Example", **spec):
        async with db.write() as uow:
            return await issuers.create_private_hierarchy(
                uow, HierarchySpec(name=name, **spec), principal=SYSTEM
            )

    return make


@pytest.fixture(scope="session")
def csr():
    names = ("www.example.com", "example.com")
    return build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name=names[0]), dns_names=names)


@pytest.fixture
def order(csr, clock):
    def make(**fields):
        values = {
            "order_id": "1",
            "certificate_type": "ssl",
            "csr": csr,
            "subject": {"common_name": "www.example.com", "organization": "Example Ltd", "country": "DE"},
            "dns_names": ("www.example.com", "example.com"),
            "term_days": 90,
            "not_before": clock(),
        }
        return CertificateOrder(**values | fields)

    return make


@pytest.fixture
def open_backend(db, issuers):
    async def make(backend_id, service=None):
        async with db.read() as session:
            return await (service or issuers).backend(session, backend_id)

    return make


@pytest.fixture
def issue(open_backend, order):
    async def make(backend_id, **fields):
        backend = await open_backend(backend_id)
        wanted = order(**fields)
        return await backend.submit(wanted, await backend.prepare(wanted))

    return make


@pytest.fixture
def published(db, issuers):
    """The CRLs of a backend, as the library reads them, by the authority's role."""
    from cryptography import x509

    async def read(backend_id):
        async with db.read() as session:
            authorities = await issuers.authorities(session, backend_id)
            ders = {item.role: (await issuers.crl(session, item.slug)).der for item in authorities}
        return {role: x509.load_der_x509_crl(der) for role, der in ders.items()}

    return read
