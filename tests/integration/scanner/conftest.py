"""Certificates that the real servers show, made once."""

from __future__ import annotations

import pytest

from tests.integration.scanner.farm import Chain, make_chain

EC = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]


@pytest.fixture(scope="session")
def chains(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Chain]:
    """Chains named `ec`, `rsa`, `other` and `ed25519`."""
    folder = tmp_path_factory.mktemp("chains")
    kinds = {"ec": EC, "rsa": ["rsa:2048"], "other": EC, "ed25519": ["ed25519"]}
    return {name: make_chain(folder, name, algorithm) for name, algorithm in kinds.items()}
