"""The public page and its JSON twin: no account, no cookie, a passphrase."""

import re

from cryptography import x509

from tests.integration.lifecycle.test_certificates_rest import body

SECRET = "open sesame <42>"
API, PAGE = "/api/v1/self-service/ssl", "/self-service/ssl"


async def issued(world, rest, **changes):
    asked = body(world, passphrase=SECRET, **changes)
    return (await rest.post("/certificates", asked, expect=201))["id"]


async def api(rest, what, shown, *, expect):
    return await rest.raw("POST", f"{API}/{what}", json=shown, token=None, expect=expect)


async def page(rest, what, fields, *, expect=200):
    answer = await rest.raw("POST", f"{PAGE}/{what}", data=fields, token=None, expect=expect)
    return answer, answer.content_bytes.decode("utf-8", "replace")


async def test_renewing_fetching_and_revoking_over_json(world, rest):
    first = await issued(world, rest)
    shown = {"certificate_id": first, "passphrase": SECRET}
    renewed = await (await api(rest, "renew", shown, expect=201)).json()
    assert renewed["status"] == "Issued"
    shown["certificate_id"] = renewed["id"]
    file = await api(rest, "download", {**shown, "format": "x509CO"}, expect=200)
    assert x509.load_pem_x509_certificate(file.content_bytes)
    await api(rest, "revoke", {**shown, "reason": "superseded", "comments": "done"}, expect=204)
    assert (await rest.get(f"/certificates/{renewed['id']}"))["status"] == "Revoked"


async def test_unknown_ids_and_wrong_passphrases_are_one_and_the_same_answer(world, rest):
    first = await issued(world, rest)
    answers = []
    for shown in (
        {"certificate_id": 99_999, "passphrase": SECRET},
        {"certificate_id": first, "passphrase": "something else"},
    ):
        answer = await api(rest, "renew", shown, expect=403)
        answers.append(re.sub(rb'"request_id": "\w+"', b"", answer.content_bytes))
    assert answers[0] == answers[1]
    assert b"self_service_refused" in answers[0]


NONSENSE = [
    ("renew", {"certificate_id": "x"}),
    ("renew", {"certificate_id": 0}),
    ("renew", {"certificate_id": 10**18}),
    ("renew", {"passphrase": ""}),
    ("renew", {"passphrase": "x" * 257}),
    ("renew", {"extra": 1}),
    ("download", {"format": "pdf"}),
    ("revoke", {"comments": ""}),
    ("revoke", {"reason": "boredom", "comments": "x"}),
]


async def test_bodies_that_make_no_sense_are_not_repeated(rest):
    for what, change in NONSENSE:
        shown = {"certificate_id": 1, "passphrase": SECRET, **change}
        answer = await api(rest, what, shown, expect=400)
        assert SECRET.encode() not in answer.content_bytes
        fields = {key: str(value) for key, value in shown.items()}
        _, text = await page(rest, what, fields, expect=400)
        assert "open sesame" not in text


async def test_the_page_works_without_scripts_cookies_or_account(world, rest):
    answer = await rest.raw("GET", PAGE, token=None)
    text = answer.content_bytes.decode()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in text
    for label in re.findall(r'<label for="([^"]+)"', text):
        assert f'id="{label}"' in text
    first = await issued(world, rest)
    fields = {"certificate_id": str(first), "passphrase": SECRET}
    answer, text = await page(rest, "renew", fields)
    (new_id,) = re.findall(r"<strong>(\d+)</strong>", text)
    assert "It is issued." in text
    assert "open sesame" not in text
    answer, _file = await page(rest, "download", {**fields, "certificate_id": new_id, "format": "bin"})
    assert answer.headers["Content-Disposition"].endswith('.p7b"')
    answer, text = await page(rest, "revoke", {**fields, "reason": "superseded", "comments": "<b>x</b>"})
    assert f"Certificate {first} is revoked" in text


async def test_the_page_says_what_is_wrong_and_shows_its_forms_again(world, rest):
    first = await issued(world, rest)
    wrong = {"certificate_id": str(first), "passphrase": "wrong wrong"}
    _, text = await page(rest, "renew", wrong, expect=403)
    assert "no certificate with this id and passphrase" in text
    assert text.count("<form") == 3
    _answer, text = await page(rest, "revoke", {**wrong, "passphrase": SECRET}, expect=400)
    assert "please fill in: comments" in text
    await rest.raw("POST", f"{PAGE}/renew", json=wrong, token=None, expect=400)
    await rest.raw(
        "POST",
        f"{PAGE}/renew",
        data=b"\xff\xfe=%zz&&",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        token=None,
        expect=400,
    )


async def test_a_waiting_renewal_and_an_agreement_are_told(world, rest):
    async with world.db.write() as uow:
        profile = await world._profile(uow, "Agreed", agreement="Be good.")
    first = await issued(world, rest, profile_id=profile, agreement_accepted=True)
    await rest.post(f"/certificates/{first}/approve")
    await world.settle()
    fields = {"certificate_id": str(first), "passphrase": SECRET}
    _, text = await page(rest, "renew", fields, expect=422)
    assert "Accept the subscriber agreement" in text
    _, text = await page(rest, "renew", {**fields, "agreement_accepted": "true"})
    assert "waits for an administrator" in text


async def test_guessing_is_slowed_down(rest):
    shown = {"certificate_id": 77_777, "passphrase": "guess guess"}
    for _ in range(5):
        await api(rest, "revoke", {**shown, "comments": "x"}, expect=403)
    answer = await api(rest, "revoke", {**shown, "comments": "x"}, expect=429)
    assert int(answer.headers["Retry-After"]) >= 1
    answer, _text = await page(rest, "renew", {key: str(value) for key, value in shown.items()}, expect=429)
    assert "Retry-After" in answer.headers
