"""Organizations, domains, profiles and CA backends through REST: who may, who sees, and what errors say."""

import urllib.parse

import pytest


@pytest.fixture
async def two_organizations(hub):
    return [
        (await hub.call("POST", "/organizations", name=name, country="DE", expect=201))["id"]
        for name in ("One", "Two")
    ]


async def test_an_organization_is_made_changed_and_listed(hub):
    made = await hub.call("POST", "/organizations", name="Example Ltd", country="de", expect=201)
    assert (made["country"], made["status"]) == ("DE", "active")
    changed = await hub.call("PATCH", f"/organizations/{made['id']}", locality="Berlin", expect=200)
    assert changed == made | {"locality": "Berlin"}
    assert await hub.call("GET", f"/organizations/{made['id']}", expect=200) == changed
    page = await hub.call("GET", "/organizations?q=xample", expect=200)
    assert (page["items"], page["total"]) == ([changed], 1)
    csv = await hub.call("GET", "/organizations?format=csv&columns=name,country", expect=200)
    assert csv.splitlines()[-1] == "Example Ltd,DE"
    problem = await hub.call("POST", "/organizations", name="Example Ltd", expect=409)
    assert problem["code"] == "organization_name_taken"


async def test_an_rao_sees_and_changes_only_the_own_organization(hub, two_organizations):
    one, two = two_organizations
    token = f"rao-{one}"
    listed = await hub.call("GET", "/organizations", token=token, expect=200)
    assert ([item["id"] for item in listed["items"]], listed["total"]) == ([one], 1)
    for method, path, body in (
        ("GET", f"/organizations/{two}", {}),
        ("PATCH", f"/organizations/{two}", {"locality": "Paris"}),
        ("GET", f"/organizations/{two}/departments", {}),
        ("POST", f"/organizations/{two}/departments", {"name": "IT"}),
        ("POST", "/domains", {"organization_id": two, "name": "example.com"}),
    ):
        hidden = await hub.call(method, path, token=token, expect=404, **body)
        absent = await hub.call(method, path.replace(str(two), "99"), token=token, expect=404, **body)
        assert hidden["code"] == absent["code"] == "organization_not_found"
    await hub.call("PATCH", f"/organizations/{one}", token=token, locality="Rom", expect=200)
    await hub.call("POST", "/organizations", token=token, name="Mine", expect=403)
    await hub.call("PATCH", f"/organizations/{one}", token=f"drao-{one}", locality="Rom", expect=403)


async def test_departments(hub, two_organizations):
    one, _ = two_organizations
    made = await hub.call("POST", f"/organizations/{one}/departments", name="IT", expect=201)
    page = await hub.call("GET", f"/organizations/{one}/departments", token=f"drao-{one}", expect=200)
    assert page["items"] == [made]
    problem = await hub.call("POST", f"/organizations/{one}/departments", name="IT", expect=409)
    assert problem["code"] == "department_name_taken"


async def test_an_rao_asks_for_a_domain_and_an_mrao_approves_it(hub, two_organizations):
    one, two = two_organizations
    asked = await hub.call(
        "POST", "/domains", token=f"rao-{one}", organization_id=one, name="*.Example.com", expect=201
    )
    assert (asked["name"], asked["approved"]) == ("*.example.com", False)
    await hub.call("POST", f"/domains/{asked['id']}/approve", token=f"rao-{one}", expect=403)
    approved = await hub.call("POST", f"/domains/{asked['id']}/approve", message="ok", expect=200)
    assert approved["approved"]
    listed = await hub.call("GET", "/domains", token=f"rao-{one}", expect=200)
    assert [(item["name"], item["organization_name"]) for item in listed["items"]] == [
        ("*.example.com", "One")
    ]
    assert (await hub.call("GET", "/domains", token=f"rao-{two}", expect=200))["total"] == 0
    hidden = await hub.call("DELETE", f"/domains/{asked['id']}", token=f"rao-{two}", expect=404)
    assert hidden["code"] == "domain_not_found"
    await hub.call("DELETE", f"/domains/{asked['id']}", token=f"rao-{one}", expect=204)
    await hub.call("DELETE", f"/domains/{asked['id']}", expect=404)


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("co.uk", 422, "domain_is_public_suffix"),
        ("192.0.2.1", 400, "domain_is_ip_address"),
        ("xn--a.example", 400, "invalid_domain"),
        ("a_b.example", 400, "invalid_domain"),
    ],
)
async def test_bad_domains_get_an_error_to_act_on(hub, two_organizations, name, status, code):
    problem = await hub.call(
        "POST", "/domains", organization_id=two_organizations[0], name=name, expect=status
    )
    assert problem["code"] == code
    assert name in problem["detail"]


async def test_every_name_is_for_an_mrao_to_delegate(hub, two_organizations):
    one, _ = two_organizations
    problem = await hub.call(
        "POST", "/domains", token=f"rao-{one}", organization_id=one, name="*", expect=403
    )
    assert problem["code"] == "domain_needs_whole_system"
    await hub.call("POST", "/domains", organization_id=one, name="*", expect=201)


async def test_profiles_are_made_changed_and_deleted(hub, two_organizations):
    one, two = two_organizations
    ca = await hub.call("POST", "/ca-backends/private", name="CA", expect=201)
    body = {
        "name": "Servers",
        "backend_id": ca["id"],
        "terms_days": [90, 47],
        "key_types": ["EC-P256"],
        "organization_ids": [one],
    }
    made = await hub.call("POST", "/profiles", expect=201, **body)
    assert made["terms_days"] == [47, 90]
    assert made["subject_policy"]["organization"] == "organization"
    assert (await hub.call("GET", "/profiles", token=f"rao-{one}", expect=200))["items"] == [made]
    assert (await hub.call("GET", "/profiles", token=f"rao-{two}", expect=200))["items"] == []
    await hub.call("GET", f"/profiles/{made['id']}", token=f"rao-{two}", expect=404)
    await hub.call("POST", "/profiles", token=f"rao-{one}", expect=403, **body | {"name": "Mine"})
    changed = await hub.call(
        "PATCH", f"/profiles/{made['id']}", organization_ids=None, auto_approve=True, expect=200
    )
    assert changed == made | {"organization_ids": None, "auto_approve": True}
    renamed = await hub.call("PATCH", f"/profiles/{made['id']}", name="Web servers", expect=200)
    assert renamed == changed | {"name": "Web servers"}
    problem = await hub.call("POST", "/profiles", expect=400, **body | {"backend_id": 99})
    assert problem["code"] == "invalid_profile"
    await hub.call("DELETE", f"/profiles/{made['id']}", expect=204)
    await hub.call("GET", f"/profiles/{made['id']}", expect=404)


async def test_a_private_ca_is_made_read_and_tested(hub):
    made = await hub.call(
        "POST", "/ca-backends/private", name="Example", issuing_days=3650, root_days=7300, expect=201
    )
    issuing, root = made["authorities"]
    assert (issuing["role"], root["role"], made["can_revoke"]) == ("issuing", "root", True)
    assert issuing["subject"] == "CN=Example Issuing CA"
    assert (issuing["crl"]["entries"], issuing["crl"]["number"] > 0) == (0, True)
    assert await hub.call("GET", f"/ca-backends/{made['id']}", expect=200) == made
    assert [item["id"] for item in (await hub.call("GET", "/ca-backends", expect=200))["items"]] == [
        made["id"]
    ]
    chain = await hub.call("GET", f"/ca-backends/{made['id']}/chain", expect=200)
    assert chain.count("BEGIN CERTIFICATE") == 2
    tested = await hub.call("POST", f"/ca-backends/{made['id']}/test", expect=200)
    assert tested == {"ok": True, "code": None, "message": None}
    kinds = await hub.call("GET", "/ca-backends/kinds", expect=200)
    schemas = {item["kind"]: item["settings_schema"] for item in kinds["items"]}
    assert "status_url" in schemas["private_ca"]["properties"]
    await hub.call("POST", "/ca-backends/private", token="rao-1", name="Mine", expect=403)
    problem = await hub.call(
        "POST", "/ca-backends/private", name="X", root_days=1, issuing_days=2, expect=400
    )
    assert problem["code"] == "invalid_ca_hierarchy"
    await hub.call("GET", "/ca-backends/99/chain", expect=404)
    await hub.call("POST", "/ca-backends/99/test", expect=404)


async def test_status_files_are_public_and_cached_for_a_minute(hub):
    made = await hub.call("POST", "/ca-backends/private", name="Example", expect=201)
    path = urllib.parse.urlparse(made["authorities"][0]["crl"]["url"]).path
    status, headers, body = await hub.fetch(path)
    assert (status, headers["Cache-Control"]) == (200, "public, max-age=60")
    assert headers["Last-Modified"].endswith(" GMT")
    status, again, nothing = await hub.fetch(path, **{"If-None-Match": f'"x", W/{headers["ETag"]}'})
    assert (status, nothing, again["ETag"]) == (304, b"", headers["ETag"])
    async with hub.db.write() as uow:
        await hub.issuers.certificate_revoked(
            uow, backend_id=made["id"], serial_hex="abc", reason="superseded", at=uow.now
        )
    status, headers, newer = await hub.fetch(path, **{"If-None-Match": headers["ETag"]})
    assert status == 200
    assert newer != body
    for unknown in ("/crl/nobody.crl", "/aia/nobody.cer", "/crl/..crl"):
        assert (await hub.fetch(unknown))[0] == 404
