"""Files come in whatever their form, and go out in the form asked for."""

import subprocess

import pytest

from pki.download_formats import FILE_TYPES, DownloadFormat, download
from pki.encodings import (
    MAX_BUNDLE_BYTES,
    certificates_pem,
    pem_block,
    read_certificates,
    read_pkcs7,
    read_pkcs12,
    write_pkcs7,
    write_pkcs12,
)
from pki.errors import InputTooLarge, KeyMismatch, MalformedBundle, MalformedCertificate, WrongPassphrase
from pki.keys import encode_private_key, encode_private_key_pem


@pytest.fixture(scope="module")
def chain(hierarchy):
    return (hierarchy.leaf.certificate, hierarchy.issuing.certificate, hierarchy.root.certificate)


def test_pem_is_what_openssl_writes(chain, tmp_path):
    (tmp_path / "in.der").write_bytes(chain[0])
    command = ["openssl", "x509", "-inform", "DER", "-in", tmp_path / "in.der"]
    written = subprocess.run(command, capture_output=True, check=True).stdout
    assert certificates_pem(chain[:1]) == written


def test_certificates_are_read_from_any_form(chain, hierarchy):
    assert read_certificates(chain[0]) == chain[:1]
    assert read_certificates(certificates_pem(chain)) == chain
    noisy = b"subject=/CN=x\r\n" + certificates_pem(chain).replace(b"\n", b"\r\n") + b"\r\ntrailer"
    assert read_certificates(noisy) == chain
    with_key = encode_private_key_pem(hierarchy.leaf.key) + certificates_pem(chain[:1])
    assert read_certificates(with_key) == chain[:1]
    bundle = write_pkcs7(chain)
    assert set(read_certificates(bundle)) == set(chain)
    assert set(read_certificates(pem_block("PKCS7", bundle))) == set(chain)
    assert set(read_pkcs7(bundle)) == set(chain)


def test_what_holds_no_certificate_is_refused(hierarchy):
    key = encode_private_key_pem(hierarchy.leaf.key)
    broken_armour = b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"
    for data in (key, broken_armour, b"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----"):
        with pytest.raises(MalformedBundle):
            read_certificates(data)
    for data in (b"", b"hello", b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----"):
        with pytest.raises(MalformedCertificate):
            read_certificates(data)
    with pytest.raises(InputTooLarge):
        read_certificates(bytes(MAX_BUNDLE_BYTES + 1))
    with pytest.raises(InputTooLarge):
        read_pkcs12(bytes(MAX_BUNDLE_BYTES + 1), b"x")


@pytest.mark.parametrize("legacy", [False, True])
def test_pkcs12_round_trip(chain, hierarchy, legacy):
    leaf, *issuers = chain
    data = write_pkcs12(
        hierarchy.leaf.key, leaf, chain=issuers, passphrase=b"open sesame", name="wwẅ", legacy=legacy
    )
    contents = read_pkcs12(data, b"open sesame")
    assert encode_private_key(contents.private_key) == encode_private_key(hierarchy.leaf.key)
    assert (contents.certificate, set(contents.chain), contents.name) == (leaf, set(issuers), "wwẅ")
    assert "private_key" not in repr(contents)
    with pytest.raises(WrongPassphrase):
        read_pkcs12(data, b"wrong")
    with pytest.raises(WrongPassphrase):
        read_pkcs12(data[:-5], b"open sesame")


def test_pkcs12_is_readable_for_openssl(chain, hierarchy, tmp_path):
    data = write_pkcs12(hierarchy.leaf.key, chain[0], chain=chain[1:], passphrase=b"pw", name="www")
    (tmp_path / "out.p12").write_bytes(data)
    (tmp_path / "pass").write_text("pw\n")
    command = ["openssl", "pkcs12", "-in", "out.p12", "-passin", "file:pass", "-nokeys", "-info"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "friendlyName: www" in result.stdout
    assert "AES-256-CBC" in result.stderr


def test_pkcs12_needs_the_right_key_and_a_passphrase(chain, hierarchy):
    with pytest.raises(KeyMismatch):
        write_pkcs12(hierarchy.root.key, chain[0], passphrase=b"pw", name="www")
    with pytest.raises(WrongPassphrase):
        write_pkcs12(hierarchy.leaf.key, chain[0], passphrase=b"", name="www")


def test_pkcs12_without_a_key(chain):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

    certificate = x509.load_der_x509_certificate(chain[2])
    data = pkcs12.serialize_key_and_certificates(None, None, None, [certificate], NoEncryption())
    contents = read_pkcs12(data, None)
    assert (contents.private_key, contents.certificate, contents.chain) == (None, None, chain[2:])


@pytest.mark.parametrize(
    ("download_format", "order"),
    [
        (DownloadFormat.CERTIFICATE_ONLY, (0,)),
        (DownloadFormat.WITH_ISSUERS_AFTER, (0, 1)),
        (DownloadFormat.WITH_CHAIN, (2, 1, 0)),
        (DownloadFormat.ROOT_AND_INTERMEDIATES, (2, 1)),
        (DownloadFormat.INTERMEDIATES_AND_ROOT, (1, 2)),
    ],
)
def test_pem_downloads_have_the_order_they_promise(chain, download_format, order):
    leaf, issuing, root = chain
    expected = certificates_pem([chain[position] for position in order])
    assert download(leaf, [root, issuing], download_format) == expected
    assert download(leaf, [leaf, issuing, root], download_format) == expected


def test_pkcs7_downloads_hold_the_whole_chain(chain, tmp_path):
    leaf, issuing, root = chain
    assert set(read_pkcs7(download(leaf, [root, issuing], DownloadFormat.PKCS7_DER))) == set(chain)
    (tmp_path / "out.p7b").write_bytes(download(leaf, [root, issuing], DownloadFormat.PKCS7_PEM))
    command = ["openssl", "pkcs7", "-in", tmp_path / "out.p7b", "-print_certs", "-noout"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.count("subject=") == 3


def test_every_format_has_a_file_type():
    assert set(FILE_TYPES) == set(DownloadFormat)
    assert FILE_TYPES[DownloadFormat.PKCS7_DER].extension == ".p7b"
