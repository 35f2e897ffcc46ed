"""What the hub hands out is read by OpenSSL and by Java's keytool, in each of the seven formats."""

import re
import subprocess

import pytest

from pki.download_formats import DownloadFormat
from tests.integration.lifecycle.test_certificates_rest import body

# How many certificates each format holds of leaf, intermediate and root.
COUNTS = {
    DownloadFormat.CERTIFICATE_ONLY: 1,
    DownloadFormat.WITH_ISSUERS_AFTER: 2,
    DownloadFormat.WITH_CHAIN: 3,
    DownloadFormat.PKCS7_PEM: 3,
    DownloadFormat.PKCS7_DER: 3,
    DownloadFormat.ROOT_AND_INTERMEDIATES: 2,
    DownloadFormat.INTERMEDIATES_AND_ROOT: 2,
}
WITH_LEAF_FIRST = {
    DownloadFormat.CERTIFICATE_ONLY,
    DownloadFormat.WITH_ISSUERS_AFTER,
    DownloadFormat.PKCS7_PEM,
    DownloadFormat.PKCS7_DER,
}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture
async def files(world, rest, tmp_path):
    """The seven files of one certificate, over REST."""
    enrolled = await rest.post("/certificates", body(world), expect=201)
    found = {}
    for name in DownloadFormat:
        path = f"/api/v1/certificates/{enrolled['id']}/download?format={name}"
        answer = await rest.raw("GET", path)
        (filename,) = re.findall(r'filename="([^"]+)"', answer.headers["Content-Disposition"])
        target = tmp_path / f"{name}-{filename}"
        target.write_bytes(answer.content_bytes)
        found[name] = target
    return found


def pkcs7_arguments(name, path):
    return ("-inform", "DER" if name is DownloadFormat.PKCS7_DER else "PEM", "-in", str(path))


def test_all_formats_are_counted():
    assert set(COUNTS) == set(DownloadFormat)


async def test_openssl_reads_every_format(files):
    for name, path in files.items():
        if name in {DownloadFormat.PKCS7_PEM, DownloadFormat.PKCS7_DER}:
            text = run("openssl", "pkcs7", *pkcs7_arguments(name, path), "-print_certs", "-noout")
            assert text.count("subject=") == COUNTS[name], name
            continue
        text = run("openssl", "storeutl", "-noout", "-text", "-certs", str(path))
        assert text.count("Certificate:") == COUNTS[name], name


async def test_openssl_verifies_the_leaf_with_the_issuers_that_come_along(files):
    issuers = files[DownloadFormat.ROOT_AND_INTERMEDIATES]
    leaf = files[DownloadFormat.CERTIFICATE_ONLY]
    assert "OK" in run("openssl", "verify", "-no-CApath", "-CAfile", str(issuers), str(leaf))


async def test_the_order_of_the_files_is_as_their_names_say(files):
    for name, path in files.items():
        if name in {DownloadFormat.PKCS7_PEM, DownloadFormat.PKCS7_DER}:
            continue
        first = run("openssl", "x509", "-in", str(path), "-noout", "-subject", "-ext", "subjectAltName")
        is_leaf = "www.example.com" in first
        assert is_leaf == (name in WITH_LEAF_FIRST), (name, first)


async def test_keytool_reads_every_format(files, tmp_path):
    for name, path in files.items():
        text = run("keytool", "-J-Duser.language=en", "-printcert", "-file", str(path))
        assert text.count("Serial number:") == COUNTS[name], name
        if name in {DownloadFormat.PKCS7_PEM, DownloadFormat.PKCS7_DER}:
            # As trusted certificates it imports X.509 only; PKCS#7 is for replies to its own requests.
            continue
        store = tmp_path / f"{name}.jks"
        run(
            "keytool", "-J-Duser.language=en", "-importcert", "-noprompt", "-alias", "a",
            "-file", str(path), "-keystore", str(store), "-storepass", "changeit",
        )  # fmt: skip
        listed = run(
            "keytool", "-J-Duser.language=en", "-list", "-keystore", str(store), "-storepass", "changeit"
        )
        assert "trustedCertEntry" in listed, name
