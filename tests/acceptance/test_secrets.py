"""A key made in the private key store reaches its target, and is in the clear nowhere else."""

import base64
import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

NAME = "shop.test"


def forms_of(key):
    """The key as it might lie about: encodings, and the numbers that are secret."""
    formats = [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL]
    encodings = [key.private_bytes(Encoding.DER, form, NoEncryption()) for form in formats]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers = [key.private_numbers().private_value]
    else:
        secret = key.private_numbers()
        numbers = [secret.d, secret.p, secret.q]
    raw = [number.to_bytes((number.bit_length() + 7) // 8, "big") for number in numbers]
    found = {}
    for name, body in [
        *zip(("PKCS#8", "traditional"), encodings, strict=True),
        *(("number", it) for it in raw),
    ]:
        found[f"{name} bytes"] = body
        found[f"{name} reversed"] = body[::-1]
        found[f"{name} hex"] = body.hex().encode()
        found[f"{name} HEX"] = body.hex().upper().encode()
        # What base64 makes of a secret depends on where in the text it begins.
        for shift in range(3):
            text = base64.b64encode(bytes(shift) + body)
            inner = text[4:-4]
            found[f"{name} base64 +{shift}"] = inner
            found[f"{name} base64url +{shift}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    for name, number in zip("dpq", numbers, strict=False):
        found[f"{name} decimal"] = str(number).encode()
    return found


def files_below(*folders):
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def leaks(forms, paths):
    found = []
    for path in paths:
        content = path.read_bytes()
        # PEM breaks its lines.
        joined = re.sub(rb"\s+", b"", content)
        for name, form in forms.items():
            if form in content or form in joined:
                found.append((str(path), name))
    return found


@pytest.mark.parametrize("key_type", ["EC-P256", "RSA-2048"])
def test_the_key_is_on_its_target_and_nowhere_else_in_the_clear(world, key_type):
    world.serve("apache", NAME)
    world.start_hub()
    world.start_agents()
    certificate_id = world.request(
        NAME,
        method="auto_install",
        key_type=key_type,
        key_location="pks",
        targets=[
            {
                "agent_id": world.agent_id("network"),
                "server": "apache",
                "node_id": world.node_id("apache", NAME),
            }
        ],
        installation="immediate",
    )
    world.approve(certificate_id)
    done = world.installed(certificate_id)
    assert done["install_state"] == "Successful"
    everything = [world.api.get(f"/commands/{each['command_id']}") for each in done["commands"]]

    installed = load_pem_private_key((world.folder / "apache" / "site.key").read_bytes(), None)
    assert isinstance(installed, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    forms = forms_of(installed)
    # The search finds what is there: the target's own file.
    assert leaks(forms, [world.folder / "apache" / "site.key"])

    hub = world.hub.data_dir
    running = files_below(hub, *(agent.state_dir for agent in world.agents.values()))
    names = {path.name for path in running}
    assert {"hub.db", "hub.db-wal", "hub.log", "agent.log", "keys.db", "journal.db"} <= names
    assert leaks(forms, running) == []
    (world.folder / "answers.txt").write_text(repr((done, everything)))
    assert leaks(forms, [world.folder / "answers.txt"]) == []
    beside = [path for path in files_below(world.folder / "apache") if path.name != "site.key"]
    assert leaks(forms, beside) == []

    # Nor when everything has been written out at the end.
    for agent in world.agents.values():
        assert agent.stop() == 0
    assert world.hub.stop() == 0
    assert leaks(forms, files_below(hub, *(agent.state_dir for agent in world.agents.values()))) == []
