"""A hub of settings: its HSM, with the PIN from a file, and what is said of settings that don't fit."""

import pytest

from hub.composition import build_services
from hub.config import ConfigurationError, Settings, load_settings
from hub.http.principal import SYSTEM
from hub.issuers.hierarchies.records import NewCa
from hub.issuers.private_ca.errors import HsmPinRefused, HsmUnavailable
from pki.at_rest import KeyEncryptionKey, new_key
from pki.names import SubjectFields
from tests.integration.private_ca.conftest import MODULE, PIN

pytestmark = pytest.mark.server


async def test_a_hub_uses_the_hsm_of_its_settings(db, token, tmp_path):
    pin = tmp_path / "pin"
    settings = Settings(
        data_dir=tmp_path, hsm_module=str(MODULE), hsm_token="certwright", hsm_pin_source=f"file:{pin}"
    )
    services = build_services(
        db, settings, kek=KeyEncryptionKey(new_key()), authority=None, status_url="http://pki.example"
    )
    new = NewCa(
        name="Root",
        template="ec-p256-root",
        key_store="hsm",
        subject=SubjectFields(organization="Example Ltd"),
    )
    with pytest.raises(HsmUnavailable, match="No such file"):
        await services.private_cas.create(new, principal=SYSTEM)
    pin.write_text("000000\n")
    pin.chmod(0o600)
    with pytest.raises(HsmPinRefused):
        await services.private_cas.create(new, principal=SYSTEM)
    pin.write_text(f"{PIN}\n")
    ca, _ = await services.private_cas.get(await services.private_cas.create(new, principal=SYSTEM))
    assert ca.key_store == "hsm"


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ({"hsm_module": "/lib/x.so"}, "go together"),
        ({"key_source": "vault:x"}, "write env:NAME"),
        (
            {"hsm_module": "/lib/x.so", "hsm_token": "t", "hsm_pin_source": "passphrase:env:P"},
            "no passphrase",
        ),
    ],
)
def test_settings_that_do_not_fit(tmp_path, flags, word):
    with pytest.raises(ConfigurationError, match=word):
        load_settings(flags={"data_dir": tmp_path, **flags}, environment={})
