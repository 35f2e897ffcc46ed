"""The DER writer agrees with known encodings, the reader refuses what is not whole."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pki import der
from pki.errors import MalformedDer


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (der.integer(0), "020100"),
        (der.integer(127), "02017f"),
        (der.integer(128), "02020080"),
        (der.integer(1 << 127), "021100" + "80" + "00" * 15),
        (der.enumerated(10), "0a010a"),
        (der.boolean_true(), "0101ff"),
        (der.bit_string(b"\x05"), "03020005"),
        (der.octet_string(b""), "0400"),
        (der.explicit(3, der.sequence()), "a3023000"),
        (der.implicit(6, b"a"), "860161"),
        (der.object_identifier("1.2.840.113549"), "06062a864886f70d"),
        (der.object_identifier("2.999.3"), "0603883703"),
        (der.tlv(0x04, b"x" * 128)[:3], "048180"),
        (der.tlv(0x04, b"x" * 65536)[:5], "0483010000"),
    ],
)
def test_known_encodings(encoded, expected):
    assert encoded.hex() == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2049, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), b"\x17\x0d491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), b"\x18\x0f20500101000000Z"),
        (datetime(1949, 12, 31, tzinfo=UTC), b"\x18\x0f19491231000000Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), b"\x17\x0d251231230000Z"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), b"\x18\x0f99991231235959Z"),
    ],
)
def test_times_are_utc_and_change_their_form_in_2050(moment, expected):
    assert der.time(moment) == expected


def test_what_was_written_is_read():
    inner = der.octet_string(b"x" * 300)
    outer = der.sequence(der.integer(5), inner)
    first, second = der.read_children(der.read_element(outer).content)
    assert (first.tag, first.content) == (der.INTEGER, b"\x05")
    assert second.encoded == inner
    assert der.read_object_identifier(der.read_element(der.object_identifier("2.999.3")).content) == "2.999.3"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x05\x00", b"\x30\x80\x00\x00", b"\x30\x85" + b"\x01" * 9, b"\x1f\x81\x01\x00"],
)
def test_incomplete_or_foreign_elements_are_refused(data):
    with pytest.raises(MalformedDer):
        der.read_element(data)


@pytest.mark.parametrize("content", [b"", b"\x80", b"\x2a\x86"])
def test_an_identifier_cut_short_is_refused(content):
    with pytest.raises(MalformedDer):
        der.read_object_identifier(content)
