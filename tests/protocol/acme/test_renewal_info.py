"""Renewal information: the RFC's own certificate, and answers that make no sense."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.issuers.acme.errors import CaUnreachable
from hub.issuers.acme.renewal_info import certificate_id, read_renewal_info

# RFC 9773, appendix A.
EXAMPLE = b"""-----BEGIN CERTIFICATE-----
MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt
cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS
BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu
7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf
qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B
yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb
+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK
-----END CERTIFICATE-----
"""


def test_certificate_id_of_rfc_9773():
    der = x509.load_pem_x509_certificate(EXAMPLE).public_bytes(Encoding.DER)
    assert certificate_id(der) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


def test_a_window_is_read():
    value = {
        "suggestedWindow": {"start": "2026-01-02T04:00:00Z", "end": "2026-01-03T04:00:00Z"},
        "explanationURL": "https://ca.example/why",
    }
    found = read_renewal_info(value, retry_after_s=21600)
    assert found.start == datetime(2026, 1, 2, 4, tzinfo=UTC)
    assert found.end == datetime(2026, 1, 3, 4, tzinfo=UTC)
    assert found.explanation_url == "https://ca.example/why"
    assert found.retry_after_s == 21600


@pytest.mark.parametrize(("told", "kept"), [(0, 60), (10**6, 86_400)])
def test_a_ca_is_asked_neither_all_the_time_nor_never(told, kept):
    value = {"suggestedWindow": {"start": "2026-01-02T04:00:00Z", "end": "2026-01-03T04:00:00Z"}}
    assert read_renewal_info(value, retry_after_s=told).retry_after_s == kept


@pytest.mark.parametrize(
    "window",
    [
        None,
        [],
        {},
        {"start": "2026-01-02T04:00:00Z"},
        {"start": "soon", "end": "later"},
        {"start": 1, "end": 2},
        {"start": "2026-01-03T04:00:00Z", "end": "2026-01-02T04:00:00Z"},
        {"start": "2026-01-03T04:00:00Z", "end": "2026-01-03T04:00:00Z"},
    ],
)
def test_windows_that_make_no_sense(window):
    with pytest.raises(CaUnreachable):
        read_renewal_info({"suggestedWindow": window}, retry_after_s=3600)
