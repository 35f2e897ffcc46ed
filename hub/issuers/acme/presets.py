"""Directories of well-known CAs, as data: an administrator picks a name instead of copying an address.

CAs that give every customer an address of its own are configured with ``custom``.
"""

from __future__ import annotations

from typing import Literal

Preset = Literal[
    "custom",
    "digicert",
    "digicert-one",
    "google",
    "google-staging",
    "letsencrypt",
    "letsencrypt-staging",
    "zerossl",
]

DIRECTORIES: dict[str, str] = {
    "digicert": "https://acme.digicert.com/v2/acme/directory/",
    "digicert-one": "https://one.digicert.com/mpki/api/v1/acme/v2/directory",
    "google": "https://dv.acme-v02.api.pki.goog/directory",
    "google-staging": "https://dv.acme-v02.test-api.pki.goog/directory",
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "zerossl": "https://acme.zerossl.com/v2/DV90",
}
