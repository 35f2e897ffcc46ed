"""Archives that lie, bombs among them, and forms that carry archives."""

import contextlib
import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.lifecycle.importing.archive import Archive, ArchiveLimits, ArchiveRefused, shown_name
from hub.lifecycle.importing.files import certificates_in, costs_too_much
from hub.lifecycle.importing.multipart import FormUnreadable, parse_form
from pki import der
from tests.simulators.found_certificates import certificate, pem

MIB = 1024 * 1024


def zipped(files, *, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def read(data, **limits):
    return {item.name: item for item in Archive(data, ArchiveLimits(**limits)).files()}


def reasons(data, **limits):
    return {name: item.fault.reason if item.fault else "" for name, item in read(data, **limits).items()}


def test_files_are_read_in_order_and_folders_left_out():
    data = zipped([("b/x.pem", b"1"), ("a.pem", b"2"), ("__MACOSX/._a.pem", b"3")])
    archive = Archive(data)
    assert len(archive) == 2
    assert [(item.name, item.content) for item in archive.files()] == [("b/x.pem", b"1"), ("a.pem", b"2")]


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"PK\x05\x06", zipped([("a", b"1")])[:-30]],
    ids=["empty", "text", "cut off at once", "cut off"],
)
def test_what_is_no_archive_is_refused(data):
    with pytest.raises(ArchiveRefused):
        Archive(data)


def test_an_archive_has_a_size_and_a_number_of_files():
    with pytest.raises(ArchiveRefused, match="MiB"):
        Archive(b"x" * (2 * MIB + 1), ArchiveLimits(archive=2 * MIB))
    many = zipped([(f"{number}.pem", b"x") for number in range(11)])
    with pytest.raises(ArchiveRefused, match="at most 10 files"):
        Archive(many, ArchiveLimits(files=10))


def test_more_files_than_the_end_of_the_archive_admits_are_counted_all_the_same():
    data = bytearray(zipped([(f"{number}.pem", b"x") for number in range(11)]))
    end = data.rindex(b"PK\x05\x06")
    data[end + 8 : end + 12] = struct.pack("<HH", 1, 1)
    with pytest.raises(ArchiveRefused, match="at most 10 files"):
        Archive(bytes(data), ArchiveLimits(files=10))


def test_a_file_that_grows_beyond_measure_is_refused_and_the_next_one_read():
    data = zipped([("bomb.pem", b"\0" * (200 * MIB)), ("good.pem", b"fine")])
    assert len(data) < MIB
    assert reasons(data) == {"bomb.pem": "FileTooLarge", "good.pem": ""}


def test_a_file_that_is_packed_too_well_is_refused():
    data = zipped([("bomb.pem", b"\0" * (MIB - 1)), ("good.pem", b"\0" * 1000)])
    assert reasons(data) == {"bomb.pem": "PackedTooWell", "good.pem": ""}


def test_an_archive_that_unpacks_to_too_much_ends_there():
    noise = zlib.compress(bytes(range(256)) * 400, 0)
    data = zipped([(f"{number}.pem", noise) for number in range(50)], compression=zipfile.ZIP_STORED)
    archive = Archive(data, ArchiveLimits(total=MIB))
    seen = []
    with pytest.raises(ArchiveRefused, match="unpacks to more than 1 MiB"):
        seen.extend(archive.files())
    assert sum(len(item.content) for item in seen) <= MIB


def test_sizes_in_headers_are_not_believed():
    """The header says ten bytes, the stream holds two hundred megabytes."""
    data = bytearray(zipped([("bomb.pem", b"\0" * (200 * MIB))]))
    central = data.rindex(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 10)
    assert reasons(bytes(data)) == {"bomb.pem": "FileDamaged"}


def test_files_that_share_their_bytes_are_read_within_the_limits():
    """Many entries of the list that point at one and the same stream (a bomb without nesting)."""
    data = zipped([("a.pem", b"\0" * 900_000)])
    start = data.rindex(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    entry = data[start:end]
    many = entry * 5000
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 5000, 5000, len(many), start, 0)
    bomb = data[:start] + many + tail
    found = [item.fault.reason if item.fault else "" for item in Archive(bomb).files()]
    assert set(found) <= {"PackedTooWell", "FileDamaged"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_not_read(method):
    assert reasons(zipped([("a.pem", b"1")], compression=method)) == {"a.pem": "CompressionNotSupported"}


def test_an_encrypted_file_is_refused():
    data = bytearray(zipped([("a.pem", b"1")]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert reasons(bytes(data)) == {"a.pem": "FileEncrypted"}


def test_a_damaged_file_is_refused_and_the_others_read():
    data = bytearray(zipped([("a.pem", b"AAAABBBB"), ("b.pem", b"2")], compression=zipfile.ZIP_STORED))
    data[data.index(b"AAAABBBB")] ^= 0xFF
    assert reasons(bytes(data)) == {"a.pem": "FileDamaged", "b.pem": ""}


@given(st.binary(max_size=400), st.integers(min_value=0, max_value=600))
def test_whatever_is_changed_in_an_archive_it_is_read_or_refused(noise, position):
    data = bytearray(zipped([("a.pem", b"hello" * 40), ("b.cer", b"world")]))
    position = min(position, len(data))
    data[position : position + len(noise)] = noise
    with contextlib.suppress(ArchiveRefused):
        list(Archive(bytes(data)).files())


def test_names_are_shown_and_nothing_else():
    assert shown_name("../../etc/\x1b[31mpasswd\n") == "../../etc/\ufffd[31mpasswd\ufffd"
    assert len(shown_name("x" * 1000)) == 400


# ---- files


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"hello", "FileTypeUnknown"),
        ("noending", b"hello", "FileTypeUnknown"),
        ("inner.zip", zipped([("a.pem", b"1")]), "NestedArchive"),
        ("a.tar.gz", b"\x1f\x8b", "NestedArchive"),
        ("a.pem", b"", "MalformedCertificate"),
        ("a.pem", b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "MalformedBundle"),
        ("key.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "MalformedBundle"),
        ("a.der", b"\x30\x03\x02\x01\x05", "MalformedCertificate"),
        ("a.p7b", b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", "MalformedBundle"),
        ("a.p12", b"hello", "WrongPassphrase"),
        ("a.pem", b"-----BEGIN X-----" * 201, "TooManyCertificates"),
    ],
)
def test_files_that_hold_no_certificate_say_why(name, content, reason):
    contents = certificates_in(name, content, password="")
    assert (contents.certificates, contents.fault.reason) == ((), reason)


def test_endings_count_in_any_case_and_in_folders():
    assert certificates_in("A/B.CRT", pem(certificate("a.example")), password="").certificates


def test_absurd_key_derivation_is_not_begun():
    salt = der.octet_string(b"saltsalt")
    wrapped = der.octet_string(der.sequence(der.sequence(salt, der.integer(2**31 - 1))))
    assert costs_too_much(der.sequence(der.integer(3), wrapped))
    assert not costs_too_much(der.sequence(der.integer(3), der.sequence(salt, der.integer(600_000))))
    contents = certificates_in("a.p12", der.sequence(wrapped), password="x")
    assert contents.fault.reason == "TooManyIterations"


@given(st.binary(max_size=2000), st.sampled_from([".pem", ".cer", ".der", ".p7b", ".p12", ".zip", ".x"]))
def test_no_file_raises(content, ending):
    certificates_in("a" + ending, content, password="p")


# ---- forms


def form(*parts, boundary="xyz"):
    body = b""
    for headers, content in parts:
        body += f"--{boundary}\r\n{headers}\r\n\r\n".encode() + content + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def test_a_form_is_taken_apart():
    content = bytes(range(256)) + b"\r\n--xy"
    parts = parse_form(
        *form(
            (
                'Content-Disposition: form-data; name="file"; filename="c.zip"\r\nContent-Type: x/y',
                content,
            ),
            ('content-disposition: form-data; name="password"', b"secret"),
        )
    )
    assert (parts["file"].filename, parts["file"].content) == ("c.zip", content)
    assert (parts["password"].filename, parts["password"].content) == ("", b"secret")
    assert "secret" not in repr(parts)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=", b""),
        ("multipart/form-data; boundary=x", b"nothing"),
        ("multipart/form-data; boundary=x", b"--x\r\nno name\r\n\r\n1\r\n--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1"),
        form(
            ('Content-Disposition: form-data; name="a"', b"1"),
            ('Content-Disposition: form-data; name="a"', b"2"),
        ),
        form(*[(f'Content-Disposition: form-data; name="{number}"', b"1") for number in range(20)]),
    ],
)
def test_forms_that_are_none_are_refused(content_type, body):
    with pytest.raises(FormUnreadable):
        parse_form(content_type, body)


@given(st.binary(max_size=500))
def test_no_body_raises_anything_else(body):
    with contextlib.suppress(FormUnreadable):
        parse_form("multipart/form-data; boundary=x", b"--x\r\n" + body)
