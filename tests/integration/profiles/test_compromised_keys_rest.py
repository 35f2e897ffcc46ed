"""A key that is known to be compromised is never certified again, wherever that is known from."""

from base64 import b64encode

from pki.csrs import build_csr, parse_csr
from pki.encodings import csr_pem
from pki.keys import KeyType, generate_key, spki_sha256
from pki.names import SubjectFields


def signed_by(key, name="www.example.com"):
    return build_csr(key, SubjectFields(common_name=name), [name])


async def ask(hub, request, expect):
    body = {
        "method": "csr",
        "organization_id": hub.world.organization_id,
        "profile_id": hub.world.profile_id,
        "term_days": 90,
        "csr": b64encode(request).decode(),
    }
    return await hub.call("POST", "/certificates", body, expect=expect)


async def test_a_list_is_taken_read_and_shortened(hub):
    keys = [f"{number:064x}" for number in range(30)]
    text = "# found on a public site\n" + "\n".join(keys)
    added = await hub.call("POST", "/compromised-keys", {"keys": text, "source": "a site"}, expect=201)
    assert added == {"read": 30, "added": 30}
    again = await hub.call("POST", "/compromised-keys", {"keys": keys[0], "source": "again"}, expect=201)
    assert again == {"read": 1, "added": 0}
    page = await hub.call("GET", f"/compromised-keys?q={keys[7]}")
    assert [(row["source"], row["added_by"]) for row in page["items"]] == [("a site", "alice")]
    await hub.call("DELETE", f"/compromised-keys/{keys[7]}", expect=204)
    await hub.call("DELETE", f"/compromised-keys/{keys[7]}", expect=404)
    assert (await hub.call("GET", "/compromised-keys"))["total"] == 29
    bad = await hub.call("POST", "/compromised-keys", {"keys": f"{keys[0]}\nx", "source": "s"}, expect=400)
    assert "line 2" in str(bad)
    assert (await hub.call("GET", "/compromised-keys"))["total"] == 29


async def test_only_a_master_keeps_the_list(hub):
    for method, path, body in (
        ("GET", "/compromised-keys", None),
        ("POST", "/compromised-keys", {"keys": "ab" * 32, "source": "s"}),
        ("DELETE", f"/compromised-keys/{'ab' * 32}", None),
    ):
        await hub.call(method, path, body, token="rao", expect=403)


async def test_a_request_with_a_listed_key_is_refused_with_the_reason(hub):
    key = generate_key(KeyType.EC_P256)
    pem = csr_pem(signed_by(key)).decode()
    await hub.call("POST", "/compromised-keys", {"keys": pem, "source": "pastebin"}, expect=201)
    problem = await ask(hub, signed_by(key), 422)
    assert [(item["field"], item["code"]) for item in problem["errors"]] == [("csr", "KeyCompromised")]
    assert "pastebin" in problem["errors"][0]["message"]
    await hub.call("DELETE", f"/compromised-keys/{spki_sha256(key.public_key())}", expect=204)
    await ask(hub, signed_by(key), 201)


async def test_revoking_for_a_compromised_key_ends_the_key_everywhere(hub):
    key, other = generate_key(KeyType.EC_P256), generate_key(KeyType.EC_P256)
    lost = await ask(hub, signed_by(key), 201)
    superseded = await ask(hub, signed_by(other), 201)
    await hub.call("POST", f"/certificates/{lost['id']}/revoke", {"reason": "keyCompromise"})
    await hub.call("POST", f"/certificates/{superseded['id']}/revoke", {"reason": "superseded"})
    (row,) = (await hub.call("GET", "/compromised-keys"))["items"]
    assert row["spki_sha256"] == parse_csr(signed_by(key)).spki_sha256
    assert row["source"] == f"certificate {lost['id']} was revoked for keyCompromise"
    assert row["added_by"] == "alice"
    # Whatever the name, and whoever asks.
    problem = await ask(hub, signed_by(key, "mail.example.com"), 422)
    assert problem["errors"][0]["code"] == "KeyCompromised"
    await ask(hub, signed_by(other), 201)
