"""Importing archives over REST, on both databases."""

import io
import zipfile

import aiohttp

from tests.simulators.found_certificates import certificate, pem


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


GOOD = {"a.pem": pem(certificate("a.example")), "b.crt": b"hello", "c.cer": pem(certificate("c.example"))}


async def start(world, rest, data, *, expect=202, token="mrao", query="", **headers):
    answer = await rest.raw(
        "POST",
        f"/api/v1/certificates/import?organization_id={world.organization_id}{query}",
        data=data,
        headers={"Content-Type": "application/zip", **headers},
        expect=expect,
        token=token,
    )
    return await answer.json(content_type=None)


async def test_an_archive_as_the_body(world, rest):
    taken = await start(world, rest, zipped(GOOD), query="&filename=march.zip")
    await world.lifecycle.imports.settle()
    path = f"/certificates/imports/{taken['id']}"
    seen = await rest.get(path)
    assert (seen["state"], seen["filename"], seen["organization"]) == ("Finished", "march.zip", "Example Ltd")
    counts = {name: seen[name] for name in seen if name.startswith("files")}
    assert counts == {
        "files": 3,
        "files_done": 3,
        "files_imported": 2,
        "files_known": 0,
        "files_failed": 1,
    }
    files = await rest.get(f"{path}/files")
    assert [(item["name"], item["result"]) for item in files["items"]] == [
        ("a.pem", "Imported"),
        ("b.crt", "Failed"),
        ("c.cer", "Imported"),
    ]
    failed = await rest.get(f"{path}/files?filter=result:eq:Failed")
    assert [item["reason"] for item in failed["items"]] == ["MalformedCertificate"]
    (imported,) = files["items"][0]["certificate_ids"]
    detail = await rest.get(f"/certificates/{imported}")
    assert (detail["status"], detail["requested_via"]) == ("External", "Import")
    assert detail["discovered"] is not None
    text = await rest.get(f"{path}/files?format=csv")
    assert "a.pem" in text


async def test_an_archive_in_a_form_with_its_password(world, rest):
    form = aiohttp.FormData()
    form.add_field("file", zipped(GOOD), filename="form.zip", content_type="application/zip")
    form.add_field("password", "open sesame")
    answer = await rest.raw(
        "POST",
        f"/api/v1/certificates/import?organization_id={world.organization_id}",
        data=form,
        expect=202,
    )
    taken = await answer.json()
    await world.lifecycle.imports.settle()
    assert (await rest.get(f"/certificates/imports/{taken['id']}"))["filename"] == "form.zip"


NO_ARCHIVES = [
    (b"hello", "application/zip", 422, "archive_refused"),
    (b"", "application/zip", 422, "archive_refused"),
    (b"hello", "text/plain", 415, "unsupported_media_type"),
    (b"{}", "application/json", 415, "unsupported_media_type"),
    (b"hello", "multipart/form-data; boundary=x", 400, "form_unreadable"),
    (
        b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n--x--',
        "multipart/form-data; boundary=x",
        400,
        "malformed",
    ),
]


async def test_what_is_no_archive(world, rest):
    for data, content_type, status, code in NO_ARCHIVES:
        problem = await start(world, rest, data, expect=status, **{"Content-Type": content_type})
        assert problem["code"] == code, content_type
    assert (await rest.get("/certificates/imports"))["items"] == []


async def test_places_that_are_missing_or_somebody_elses(world, rest):
    data = zipped(GOOD)
    path = "/api/v1/certificates/import"
    headers = {"Content-Type": "application/zip"}
    await rest.raw("POST", path, data=data, headers=headers, expect=400)
    await rest.raw("POST", f"{path}?organization_id=x", data=data, headers=headers, expect=400)
    await rest.raw("POST", f"{path}?organization_id=1&sort=x", data=data, headers=headers, expect=400)
    await start(world, rest, data, token=f"rao-{world.other_organization_id}", expect=422)
    await start(world, rest, data, token="reader", expect=403)
    await start(world, rest, data, query="&department_id=999", expect=404)


async def test_imports_end_at_the_organization(world, rest):
    taken = await start(world, rest, zipped(GOOD))
    await world.lifecycle.imports.settle()
    others = f"rao-{world.other_organization_id}"
    assert (await rest.get("/certificates/imports"))["total"] == 1
    assert (await rest.get("/certificates/imports", token=others))["items"] == []
    await rest.get(f"/certificates/imports/{taken['id']}", token=others, expect=404)
    await rest.get(f"/certificates/imports/{taken['id']}/files", token=others, expect=404)
    await rest.get("/certificates/imports/999", expect=404)


async def test_a_bomb_leaves_the_hub_standing(world, rest):
    files = {"bomb.pem": b"\0" * (300 * 1024 * 1024), "good.pem": pem(certificate("good.example"))}
    taken = await start(world, rest, zipped(files))
    await world.lifecycle.imports.settle()
    found = await rest.get(f"/certificates/imports/{taken['id']}/files")
    assert [(item["name"], item["reason"]) for item in found["items"]] == [
        ("bomb.pem", "FileTooLarge"),
        ("good.pem", ""),
    ]


async def test_a_body_beyond_the_limit_is_not_even_read(world, rest):
    headers = {"Content-Type": "application/zip"}
    path = f"/api/v1/certificates/import?organization_id={world.organization_id}"
    answer = await rest.raw(
        "POST", path, data=io.BytesIO(b"x" * (66 * 1024 * 1024)), headers=headers, expect=413
    )
    assert answer.status == 413
