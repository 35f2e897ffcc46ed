"""An offline root, played by OpenSSL: its certificate and lists are imported, and it signs issuing CAs."""

import shutil
import subprocess
from datetime import timedelta

import pytest
from cryptography import x509

from hub.http.principal import SYSTEM
from hub.issuers.hierarchies import store
from hub.issuers.hierarchies.errors import (
    CaStateForbids,
    ImportRefused,
    ParentUnusable,
    PrivateCaNotFound,
)
from hub.issuers.hierarchies.records import NewCa
from hub.issuers.hierarchies.rollover import RolloverChoice
from pki.certificates import parse_certificate
from pki.encodings import csr_pem, read_certificates
from pki.names import SubjectFields
from tests.integration.private_ca.conftest import openssl_verify

_CONFIG = """
[ca]
default_ca = root
[root]
new_certs_dir = .
database = index.txt
serial = serial
crlnumber = crlnumber
certificate = {name}.pem
private_key = {name}.key
default_md = sha256
default_days = 3000
default_crl_days = {crl_days}
policy = any
copy_extensions = none
[any]
commonName = supplied
organizationName = optional
countryName = optional
[issuing]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign,cRLSign,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
"""


class OfflineRoot:
    """A root made and used with the ``openssl`` program."""

    def __init__(self, folder, name="root"):
        self.folder, self.name = folder, name
        folder.mkdir()
        (folder / "index.txt").touch()
        (folder / "serial").write_text("1000\n")
        (folder / "crlnumber").write_text("0A\n")
        self.configure()
        self.run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
        self.run(
            *("req", "-x509", "-new", "-key", f"{name}.key", "-days", "4000", "-out", f"{name}.pem"),
            *(
                "-subj",
                f"/CN=Offline {name}/O=Example Ltd",
                "-addext",
                "keyUsage=critical,keyCertSign,cRLSign",
            ),
        )

    @property
    def pem(self):
        return (self.folder / f"{self.name}.pem").read_bytes()

    def configure(self, crl_days=30):
        (self.folder / "ca.cnf").write_text(_CONFIG.format(name=self.name, crl_days=crl_days))

    def run(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def sign(self, csr, *, extensions="issuing", more=()):
        (self.folder / "in.csr").write_bytes(csr_pem(csr))
        self.run(
            *("ca", "-batch", "-notext", "-config", "ca.cnf", "-extensions", extensions),
            *("-in", "in.csr", "-out", "out.pem", *more),
        )
        return (self.folder / "out.pem").read_bytes()

    def crl(self):
        self.run("ca", "-gencrl", "-config", "ca.cnf", "-out", "crl.pem")
        return (self.folder / "crl.pem").read_bytes()


@pytest.fixture
def root(tmp_path):
    return OfflineRoot(tmp_path / "offline")


def new(**changes):
    fields = {
        "name": "Servers",
        "template": "ec-p256-issuing",
        "external": True,
        "subject": SubjectFields(organization="Example Ltd"),
    }
    return NewCa(**{**fields, **changes})


async def csr_of(hub, request_id):
    async with hub.db.read() as session:
        return (await store.request(session, request_id)).csr


async def test_an_offline_root_signs_an_issuing_ca_that_issues(hub, root, tmp_path):
    root_id = await hub.offline.import_root("Offline", root.pem, crl=root.crl(), principal=SYSTEM)
    request_id = await hub.offline.request(new(), principal=SYSTEM)
    signed = root.sign(await hub.offline.export(request_id, principal=SYSTEM))
    ca = await hub.ca(await hub.offline.import_signed(request_id, signed, principal=SYSTEM))
    assert ca.parent_id == root_id
    chain = await hub.issue(ca.backend_id)
    assert chain[2] == read_certificates(root.pem)[0]
    assert openssl_verify(tmp_path, trusted=chain[2:], untrusted=chain[1:2], leaf=chain[0]) == ""
    assert (await hub.cas.list())[1] == []
    with pytest.raises(PrivateCaNotFound):
        await hub.offline.import_signed(request_id, signed, principal=SYSTEM)
    async with hub.db.read() as session:
        crl = x509.load_der_x509_crl((await hub.issuers.crl(session, (await hub.ca(root_id)).slug)).der)
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 10
    # The hub makes no lists for the key that it does not have.
    later = hub.db.clock() + timedelta(days=40)
    hub.db.clock = lambda: later
    await hub.issuers.refresh_crls()
    with pytest.raises(ParentUnusable, match="offline"):
        await hub.create("Below", parent_id=root_id)


async def test_a_new_key_under_an_offline_root_waits_for_its_signature(hub, root):
    await hub.offline.import_root("Offline", root.pem, crl=None, principal=SYSTEM)
    first = await hub.offline.request(new(), principal=SYSTEM)
    old = await hub.ca(
        await hub.offline.import_signed(first, root.sign(await csr_of(hub, first)), principal=SYSTEM)
    )
    none, request_id = await hub.rollover.roll_over(old.id, RolloverChoice(), principal=SYSTEM)
    assert none is None
    assert (await hub.issue(old.backend_id))[1] == old.certificate
    shutil.copy(root.folder / "index.txt", root.folder / "index.bak")
    (root.folder / "index.txt").write_text("")
    signed = root.sign(await csr_of(hub, request_id))
    fresh = await hub.ca(await hub.offline.import_signed(request_id, signed, principal=SYSTEM))
    assert fresh.backend_id == old.backend_id
    assert (await hub.issue(old.backend_id))[1] == fresh.certificate
    assert (await hub.ca(old.id)).retired_at is not None


async def test_signed_certificates_that_are_not_the_one_are_refused(hub, root, tmp_path):
    await hub.offline.import_root("Offline", root.pem, crl=None, principal=SYSTEM)
    request_id = await hub.offline.request(new(), principal=SYSTEM)
    other_id = await hub.offline.request(
        new(name="Others", subject=SubjectFields(organization="Other Ltd")), principal=SYSTEM
    )
    csr = await csr_of(hub, request_id)
    stranger = OfflineRoot(tmp_path / "stranger", "stranger")
    cases = {
        "CertificateOfOtherKey": root.sign(await csr_of(hub, other_id)),
        "NotACa": root.sign(csr, extensions="server"),
        "IssuerUnknown": stranger.sign(csr),
        "CertificateMalformed": b"no certificate",
        "NotOneCertificate": root.pem + stranger.pem,
    }
    (root.folder / "index.txt").write_text("")
    cases["CertificateNotYetValid"] = root.sign(csr, more=("-startdate", "20300101000000Z"))
    (root.folder / "index.txt").write_text("")
    ends = ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
    cases["CertificateExpired"] = root.sign(csr, more=ends)
    (root.folder / "index.txt").write_text("")
    cases["SubjectDiffers"] = root.sign(csr, more=("-subj", "/CN=Another name"))
    (root.folder / "index.txt").write_text("")
    cases["WeakSignatureHash"] = root.sign(csr, more=("-md", "sha1"))
    (root.folder / "index.txt").write_text("")
    cases["OutlivesIssuer"] = root.sign(csr, more=("-days", "9000"))
    for reason, data in cases.items():
        with pytest.raises(ImportRefused, match=reason) as refused:
            await hub.offline.import_signed(request_id, data, principal=SYSTEM)
        assert (refused.value.reason, refused.value.field) == (reason, "certificate")
    # The request outlives all of them.
    (root.folder / "index.txt").write_text("")
    assert await hub.offline.import_signed(request_id, root.sign(csr), principal=SYSTEM)


async def test_lists_that_would_harm_are_refused(hub, root, tmp_path):
    old, fresh = root.crl(), root.crl()
    root_id = await hub.offline.import_root("Offline", root.pem, crl=fresh, principal=SYSTEM)
    stranger = OfflineRoot(tmp_path / "stranger", "stranger")
    root.configure(crl_days=1)
    short = root.crl()
    cases = {
        "CrlNumberGoesBack": old,
        "CrlOfOtherIssuer": stranger.crl(),
        "CrlMalformed": b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
    }
    for reason, data in cases.items():
        with pytest.raises(ImportRefused, match=reason):
            await hub.offline.import_crl(root_id, data, principal=SYSTEM)
    with pytest.raises(ImportRefused, match="CrlNumberGoesBack"):
        await hub.offline.import_crl(root_id, fresh, principal=SYSTEM)
    now = hub.db.clock()
    hub.db.clock = lambda: now + timedelta(days=2)
    with pytest.raises(ImportRefused, match="CrlExpired"):
        await hub.offline.import_crl(root_id, short, principal=SYSTEM)
    hub.db.clock = lambda: now - timedelta(days=2)
    with pytest.raises(ImportRefused, match="CrlNotYetValid"):
        await hub.offline.import_crl(root_id, short, principal=SYSTEM)
    hub.db.clock = lambda: now
    await hub.offline.import_crl(root_id, short, principal=SYSTEM)


async def test_what_is_no_root(hub, root):
    await hub.offline.import_root("Offline", root.pem, crl=None, principal=SYSTEM)
    with pytest.raises(CaStateForbids, match="here already"):
        await hub.offline.import_root("Again", root.pem, crl=None, principal=SYSTEM)
    request_id = await hub.offline.request(new(), principal=SYSTEM)
    signed = root.sign(await csr_of(hub, request_id))
    with pytest.raises(ImportRefused, match="NotARoot"):
        await hub.offline.import_root("Issuing", signed, crl=None, principal=SYSTEM)
    own = await hub.ca(await hub.create("Own root"))
    with pytest.raises(CaStateForbids, match="makes the lists"):
        await hub.offline.import_crl(own.id, root.crl(), principal=SYSTEM)


async def test_a_request_can_be_withdrawn(hub, root):
    await hub.offline.import_root("Offline", root.pem, crl=None, principal=SYSTEM)
    request_id = await hub.offline.request(new(), principal=SYSTEM)
    signed = root.sign(await csr_of(hub, request_id))
    assert parse_certificate(read_certificates(signed)[0]).is_ca
    await hub.offline.withdraw(request_id, principal=SYSTEM)
    with pytest.raises(PrivateCaNotFound):
        await hub.offline.import_signed(request_id, signed, principal=SYSTEM)
