"""Private keys go out of the store and into it through the hub, which never has one: not stored, not logged,
not sent, not even in its memory.
"""

import json
import subprocess
from base64 import b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from pki.keys import spki_sha256
from tests.acceptance.process_memory import found_in_memory
from tests.acceptance.signing_requests import csr, pem
from tests.acceptance.test_secrets import files_below, forms_of, leaks
from tests.harness.processes import attempt

NAME = "vault.test"


def raw(key):
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=True, timeout=60)
    return done.stdout


@pytest.fixture
def vault(world):
    """A hub that asks tokens for no second factor, and a store that lets keys out to anybody."""
    world.configure_hub(key_access_requires="none")
    world.write_policy("pks", key_download="any-receiver")
    world.start_hub()
    world.start_agents("pks")
    token = world.folder / "token"
    token.write_text(world.hub.credentials["api_token"])
    return world


def certwright(world, *words):
    """The command line, as an administrator uses it on a machine of their own."""
    where = ["--hub", world.hub.url, "--token-file", str(world.folder / "token")]
    trust = ["--ca", str(world.hub.data_dir / "ca.pem")]
    return attempt([*world.hub.program, "key", *words, *where, *trust])


def downloaded(world, certificate_id, *options, out="key.p12"):
    out, secret = world.folder / out, world.folder / f"{out}.secret"
    done = certwright(
        world,
        *("download", str(certificate_id), "--out", str(out), "--passphrase-file", str(secret)),
        *options,
    )
    assert done.returncode == 0, done.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    return out, secret


def secrets_of(key, *, file=b"", passphrase=""):
    """The key in all its forms, the file that holds it, and what opens that."""
    forms = forms_of(key)
    if file:
        forms |= {"file": file, "file base64": b64encode(file)[4:-4], "file hex": file.hex().encode()}
    if passphrase:
        forms |= {"passphrase": passphrase.encode(), "passphrase base64": b64encode(passphrase.encode())[:-4]}
    return forms


def assert_hub_never_had(world, forms, answers):
    """Nothing of it in the hub's memory, database with WAL, logs, other files, or answers."""
    hub = world.hub
    certificate = world.query("SELECT der FROM certificate_bodies")[0][0]
    # The search finds what is there.
    assert found_in_memory(hub.pid, {"certificate": bytes(certificate)[:64]}) == {"certificate"}
    assert found_in_memory(hub.pid, forms) == set()
    told = world.folder / "answers.txt"
    told.write_text(json.dumps(answers))
    names = {path.name for path in files_below(hub.data_dir)}
    assert {"hub.db", "hub.db-wal", "hub.log"} <= names
    assert leaks(forms, [*files_below(hub.data_dir), told]) == []
    assert hub.stop() == 0
    assert leaks(forms, files_below(hub.data_dir)) == []


@pytest.mark.parametrize("key_type", ["EC-P256", "RSA-2048"])
def test_a_downloaded_key_opens_for_its_receiver_and_the_hub_never_had_it(vault, key_type):
    certificate_id = vault.request(NAME, key_type=key_type)
    vault.approve(certificate_id)
    vault.until(certificate_id, lambda it: any(place["has_private_key"] for place in it["locations"]))

    out, secret = downloaded(vault, certificate_id)
    passphrase = secret.read_text().strip()
    key_pem = openssl("pkcs12", "-in", str(out), "-passin", f"file:{secret}", "-nocerts", "-noenc")
    key = load_pem_private_key(key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    leaf_pem = openssl("pkcs12", "-in", str(out), "-passin", f"file:{secret}", "-clcerts", "-nokeys")
    leaf = x509.load_pem_x509_certificate(leaf_pem)
    assert spki_sha256(leaf.public_key()) == spki_sha256(key.public_key())
    chain = openssl("pkcs12", "-in", str(out), "-passin", f"file:{secret}", "-cacerts", "-nokeys")
    assert x509.load_pem_x509_certificates(chain)
    assert vault.certificate(certificate_id)["status"] == "Downloaded"

    legacy, legacy_secret = downloaded(vault, certificate_id, "--format", "pkcs12_legacy", out="old.p12")
    listing = ("pkcs12", "-in", str(legacy), "-passin", f"file:{legacy_secret}", "-info", "-noout", "-legacy")
    told = subprocess.run(["openssl", *listing], capture_output=True, check=True, timeout=60).stderr
    assert b"pbeWithSHA1And3-KeyTripleDES-CBC" in told
    text, text_secret = downloaded(vault, certificate_id, "--format", "pem", out="key.pem")
    assert raw(load_pem_private_key(text.read_bytes(), text_secret.read_bytes().strip())) == raw(key)

    detail = vault.certificate(certificate_id)
    commands = [vault.api.get(f"/commands/{each['command_id']}") for each in detail["commands"]]
    forms = secrets_of(key, file=out.read_bytes(), passphrase=passphrase)
    forms["the other passphrase"] = text_secret.read_bytes().strip()
    # The search finds what is there: the receiver has all of it.
    assert leaks({"passphrase": passphrase.encode(), "file": forms["file"]}, [out, secret])
    states = vault.query("SELECT state, envelope FROM key_transfers")
    assert states == [("Fetched", None)] * 3
    assert_hub_never_had(vault, forms, [detail, commands])


def test_an_uploaded_key_is_in_the_store_and_the_hub_never_had_it(vault):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate_id = vault.request(
        NAME, method="csr", csr=pem(csr(NAME, key=key)), key_type=None, pks_agent_id=None
    )
    vault.approve(certificate_id)
    vault.until(certificate_id, lambda it: it["status"] == "Issued")
    key_file, passphrase = vault.folder / "own.pem", "a secret of my own"
    protection = BestAvailableEncryption(passphrase.encode())
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
    (vault.folder / "own.secret").write_text(passphrase + "\n")
    fingerprint = vault.agents["pks"].status()["receiver_fingerprint"]
    words = ("upload", str(certificate_id), "--agent", vault.agent_id("pks"), "--key", str(key_file))
    opens = ("--passphrase-file", str(vault.folder / "own.secret"))

    # The hub names another receiver than the agent's host does: nothing is sent.
    wrong = certwright(vault, *words, *opens, "--receiver-fingerprint", "sha256:" + "0" * 64)
    assert wrong.returncode == 1
    assert fingerprint in wrong.stderr
    assert vault.query("SELECT count(*) FROM key_transfers") == [(0,)]
    done = certwright(vault, *words, *opens, "--receiver-fingerprint", fingerprint)
    assert done.returncode == 0, done.stderr
    detail = vault.certificate(certificate_id)
    assert [place["kind"] for place in detail["locations"] if place["has_private_key"]] == [
        "private_key_agent"
    ]

    out, secret = downloaded(vault, certificate_id)
    came_back, _, _ = pkcs12.load_key_and_certificates(out.read_bytes(), secret.read_bytes().strip())
    assert raw(came_back) == raw(key)
    commands = [vault.api.get(f"/commands/{each['command_id']}") for each in detail["commands"]]
    forms = secrets_of(key, file=key_file.read_bytes(), passphrase=passphrase)
    assert_hub_never_had(vault, forms, [detail, commands])


def test_a_key_of_another_certificate_is_not_taken(vault):
    certificate_id = vault.request(NAME, method="csr", csr=pem(csr(NAME)), key_type=None, pks_agent_id=None)
    vault.approve(certificate_id)
    vault.until(certificate_id, lambda it: it["status"] == "Issued")
    other = vault.folder / "other.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    other.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    fingerprint = vault.agents["pks"].status()["receiver_fingerprint"]
    words = ("upload", str(certificate_id), "--agent", vault.agent_id("pks"), "--key", str(other))
    refused = certwright(vault, *words, "--receiver-fingerprint", fingerprint)
    assert refused.returncode == 1
    assert "KeyDiffersFromCertificate" in refused.stderr
    assert vault.certificate(certificate_id)["key_id"] == ""


def test_the_store_lets_keys_out_only_to_receivers_that_its_own_policy_names(vault):
    certificate_id = vault.request(NAME)
    vault.approve(certificate_id)
    vault.until(certificate_id, lambda it: any(place["has_private_key"] for place in it["locations"]))
    own = vault.folder / "receiver.key"
    made = attempt([*vault.hub.program, "key", "receiver", "--file", str(own)])
    fingerprint = made.stdout.strip()
    assert fingerprint.startswith("sha256:")
    again = attempt([*vault.hub.program, "key", "receiver", "--file", str(own)])
    assert again.stdout == made.stdout

    vault.write_policy("pks", key_download=[fingerprint])
    out = str(vault.folder / "never.p12")
    refused = certwright(vault, "download", str(certificate_id), "--out", out)
    assert refused.returncode == 1
    assert "PolicyRefused" in refused.stderr
    assert "does not let a private key be downloaded" in refused.stderr
    file, secret = downloaded(vault, certificate_id, "--receiver-key", str(own))
    assert pkcs12.load_key_and_certificates(file.read_bytes(), secret.read_bytes().strip())[0] is not None

    vault.write_policy("pks")
    refused = certwright(vault, "download", str(certificate_id), "--out", out, "--receiver-key", str(own))
    assert "PolicyRefused" in refused.stderr


def test_without_a_second_factor_the_hub_does_not_even_ask(world):
    world.write_policy("pks", key_download="any-receiver")
    world.start_hub()
    world.start_agents("pks")
    (world.folder / "token").write_text(world.hub.credentials["api_token"])
    certificate_id = world.request(NAME)
    world.approve(certificate_id)
    world.until(certificate_id, lambda it: any(place["has_private_key"] for place in it["locations"]))
    refused = certwright(world, "download", str(certificate_id), "--out", str(world.folder / "never.p12"))
    assert refused.returncode == 1
    assert "stronger_sign_in_needed" in refused.stderr
    assert world.commands_of(certificate_id, "ExportKeyFile") == []
