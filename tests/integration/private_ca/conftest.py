"""A hub with private CAs, and a real SoftHSM 2 token of its own for each test that wants one."""

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import asyncpg
import pkcs11
import pytest

from hub.db.tables import all_tables
from hub.db.uow import Database
from hub.http.principal import SYSTEM
from hub.issuers.contract import CertificateOrder
from hub.issuers.hierarchies.offline import OfflineCas
from hub.issuers.hierarchies.records import NewCa
from hub.issuers.hierarchies.rollover import Rollover
from hub.issuers.hierarchies.service import PrivateCaService
from hub.issuers.private_ca.hsm import Hsm, HsmSettings
from hub.issuers.service import IssuerService
from pki.at_rest import KeyEncryptionKey, new_key
from pki.csrs import build_csr
from pki.encodings import certificates_pem
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from tests.integration.issuers.private_postgres import running_postgres

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "846215"


class Token:
    """A token and the files it is in; ``pin`` is what the hub will read."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pin = folder, PIN
        self.hsm = Hsm(HsmSettings(module=MODULE, token="certwright", pin=lambda: self.pin))

    def pull(self) -> None:
        shutil.move(self.folder / "tokens", self.folder / "pulled")
        (self.folder / "tokens").mkdir()

    def count_keys(self) -> int:
        wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
        return self.hsm._call(lambda _binding, session: len(list(session.get_objects(wanted))))

    def put_back(self) -> None:
        shutil.rmtree(self.folder / "tokens")
        shutil.move(self.folder / "pulled", self.folder / "tokens")


@pytest.fixture
def token(tmp_path, monkeypatch):
    folder = tmp_path / "hsm"
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    command = ["softhsm2-util", "--init-token", "--free", "--label", "certwright", "--pin", PIN]
    subprocess.run([*command, "--so-pin", "10203040"], check=True, capture_output=True, env=os.environ.copy())
    pkcs11.unload(str(MODULE))
    yield Token(folder)
    pkcs11.unload(str(MODULE))


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as socket_folder:
        yield socket_folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
async def db(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    if request.param == "postgresql":
        folder = request.getfixturevalue("postgres")
        name = f"hub_{uuid.uuid4().hex}"
        connection = await asyncpg.connect(host=str(folder), user="certwright", database="postgres")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()
        url = f"postgresql://certwright@/{name}?host={folder}"
    database = Database.open(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(all_tables().create_all)
    yield database
    await database.close()


class Hub:
    """A hub's private CAs, with a clock that tests set."""

    def __init__(self, db, hsm=None):
        self.db, self.hsm = db, hsm
        self.open(KeyEncryptionKey(new_key()))

    def open(self, kek):
        self.kek, db, hsm = kek, self.db, self.hsm
        self.issuers = IssuerService(db, kek, public_url="http://pki.example", hsm=hsm)
        self.cas = PrivateCaService(db, kek, self.issuers)
        self.offline = OfflineCas(self.cas)
        self.rollover = Rollover(self.cas, self.offline)

    async def create(self, name="Example", **choices):
        choices.setdefault("template", "ec-p256-root" if "parent_id" not in choices else "ec-p256-issuing")
        choices.setdefault("subject", SubjectFields(organization="Example Ltd", country="DE"))
        return await self.cas.create(NewCa(name=name, **choices), principal=SYSTEM)

    async def ca(self, ca_id):
        return (await self.cas.get(ca_id))[0]

    async def issue(self, backend_id, *, days=90, key=None, **changes):
        order = CertificateOrder(
            **{
                "order_id": "1",
                "certificate_type": "ssl",
                "csr": build_csr(key or generate_key(KeyType.EC_P256), SubjectFields(common_name="a")),
                "subject": {"common_name": "www.example.com"},
                "dns_names": ("www.example.com",),
                "term_days": days,
                "not_before": self.db.clock(),
                **changes,
            }
        )
        async with self.db.read() as session:
            backend = await self.issuers.backend(session, backend_id)
        intent = await backend.prepare(order)
        async with self.db.write() as uow:
            await self.issuers.record_intent(uow, intent)
        return (await backend.submit(order, intent)).chain


@pytest.fixture
def hub(db):
    return Hub(db)


def openssl_verify(folder, *, trusted, untrusted, leaf):
    """Return what OpenSSL says of a chain; empty: nothing."""
    for name, ders in (("trusted", trusted), ("untrusted", untrusted), ("leaf", [leaf])):
        (folder / f"{name}.pem").write_bytes(certificates_pem(ders))
    command = ["openssl", "verify", "-x509_strict", "-no-CApath", "-no-CAstore"]
    command += ["-CAfile", "trusted.pem", "-untrusted", "untrusted.pem", "leaf.pem"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else result.stdout + result.stderr
