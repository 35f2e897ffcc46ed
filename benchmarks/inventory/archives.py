"""An archive of many certificates, and the time that a hub takes to import it.

The certificates differ in serial number and name and share one signature, which an import does not look at.
"""

from __future__ import annotations

import io
import time
import zipfile
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hub.http.principal import Principal
from hub.lifecycle.importing.recording import Owner
from hub.lifecycle.service import LifecycleService
from pki.encodings import certificates_pem

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_NAME = "h0000000.example.com"
_SERIAL = 0x5A000000_00000000


def build_archive(count: int) -> bytes:
    """Return a ZIP archive of ``count`` PEM files."""
    template = _template()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(count):
            der = template.replace(_NAME.encode(), b"h%07d.example.com" % number)
            der = der.replace(_SERIAL.to_bytes(8, "big"), (_SERIAL + number).to_bytes(8, "big"))
            archive.writestr(f"{number}.pem", certificates_pem([der]))
    return out.getvalue()


async def import_archive(
    lifecycle: LifecycleService, principal: Principal, *, organization_id: int, archive: bytes
) -> float:
    """Import an archive and return the seconds from the upload to the last file's result."""
    started = time.perf_counter()
    owner = Owner(organization_id, None)
    await lifecycle.imports.start(principal, owner, archive, filename="benchmark.zip")
    await lifecycle.imports.settle()
    return time.perf_counter() - started


def _template() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = (NameOID.COMMON_NAME, _NAME), (NameOID.ORGANIZATION_NAME, "Example Ltd")
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Issuing CA")]))
        .public_key(key.public_key())
        .serial_number(_SERIAL)
        .not_valid_before(_BEGIN)
        .not_valid_after(_BEGIN + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
