"""CA keys in a real token: made there, signing there, and what happens when the token goes away."""

import threading

import pkcs11
import pytest

from hub.issuers.private_ca.errors import HsmPinRefused, HsmUnavailable
from hub.issuers.private_ca.hsm import HSM_KEY_TYPES, Hsm, HsmSettings
from pki.algorithms import algorithms_of, verify
from pki.errors import UnsupportedKey
from pki.keys import KeyType, key_type_of
from tests.integration.private_ca.conftest import MODULE, PIN

pytestmark = pytest.mark.server


@pytest.mark.parametrize("key_type", sorted(HSM_KEY_TYPES - {KeyType.RSA_4096, KeyType.RSA_3072}))
def test_a_key_of_the_token_signs_with_all_its_algorithms(token, key_type):
    made = token.hsm.make_key(key_type, label="Example CA")
    assert key_type_of(made.public_key) == key_type
    for algorithm in algorithms_of(made.public_key):
        signature = token.hsm.signer(made.key_id, made.public_key, algorithm).sign(b"to be signed")
        verify(made.public_key, algorithm, signature=signature, message=b"to be signed")


def test_the_private_key_can_not_be_taken_out(token):
    made = token.hsm.make_key(KeyType.EC_P256, label="Example CA")
    token.hsm._forget(pkcs11)
    with pkcs11.lib(str(MODULE)).get_token(token_label="certwright").open(user_pin=PIN) as session:
        key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, id=bytes.fromhex(made.key_id))
        assert key[pkcs11.Attribute.SENSITIVE]
        assert not key[pkcs11.Attribute.EXTRACTABLE]
        assert key[pkcs11.Attribute.NEVER_EXTRACTABLE]
        with pytest.raises(pkcs11.AttributeSensitive):
            assert key[pkcs11.Attribute.VALUE]
    pkcs11.unload(str(MODULE))


def test_a_token_that_goes_away_is_said_clearly_and_found_again(token):
    made = token.hsm.make_key(KeyType.EC_P384, label="Example CA")
    signer = token.hsm.signer(made.key_id, made.public_key)
    signer.sign(b"before")
    token.pull()
    with pytest.raises(HsmUnavailable, match="token certwright can't be used"):
        signer.sign(b"meanwhile")
    with pytest.raises(HsmUnavailable, match="token certwright can't be used"):
        signer.sign(b"still")
    token.put_back()
    verify(made.public_key, signer.algorithm, signature=signer.sign(b"after"), message=b"after")


def test_a_wrong_pin_is_tried_once_only(token):
    made = token.hsm.make_key(KeyType.EC_P256, label="Example CA")
    token.hsm._forget(pkcs11)
    token.pin = "999999"
    for _ in range(20):
        with pytest.raises(HsmPinRefused, match="refuse"):
            token.hsm.sign(made.key_id, algorithms_of(made.public_key)[0], b"x")
    token.pin = PIN
    # A token that had been tried twenty times would be locked.
    assert token.hsm.sign(made.key_id, algorithms_of(made.public_key)[0], b"x")


def test_many_threads_sign_at_once(token):
    made = token.hsm.make_key(KeyType.EC_P256, label="Example CA")
    signer = token.hsm.signer(made.key_id, made.public_key)
    messages = [f"message {number}".encode() for number in range(40)]
    signatures = {}

    def run(message):
        signatures[message] = signer.sign(message)

    threads = [threading.Thread(target=run, args=(message,)) for message in messages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for message in messages:
        verify(made.public_key, signer.algorithm, signature=signatures[message], message=message)


def test_what_can_not_be_is_refused(token, tmp_path):
    with pytest.raises(UnsupportedKey):
        token.hsm.make_key(KeyType.ML_DSA_44, label="Example CA")
    made = token.hsm.make_key(KeyType.EC_P256, label="Example CA")
    with pytest.raises(HsmUnavailable):
        token.hsm.sign("00" * 16, algorithms_of(made.public_key)[0], b"no such key")
    elsewhere = Hsm(HsmSettings(module=tmp_path / "missing.so", token="certwright", pin=lambda: PIN))
    with pytest.raises(HsmUnavailable, match=r"missing\.so"):
        elsewhere.check()
    other = Hsm(HsmSettings(module=MODULE, token="another", pin=lambda: PIN))
    with pytest.raises(HsmUnavailable, match="token another can't be used"):
        other.check()
