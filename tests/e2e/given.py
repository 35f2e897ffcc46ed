"""What several tests of the console need to be there before they begin."""

from __future__ import annotations

from typing import Any

from tests.demo.stage import Stage
from tests.e2e.populate import signing_request

PASSWORD = "a pass phrase of her own 44"


def make_administrator(stage: Stage, username: str, **fields: Any) -> None:
    """Create a master who may sign in at once."""
    grant = {"role": "MRAO", "organization_id": None, "department_id": None, "certificate_types": []}
    body = {"username": username, "name": username.title(), "password": PASSWORD, "grants": [grant], **fields}
    stage.api.post("/administrators", {**body, "must_change_password": False})


def issue(stage: Stage, name: str, **fields: Any) -> int:
    """Have a certificate issued over REST; return its id."""
    profiles = stage.api.get("/profiles")["items"]
    request = {
        "method": "csr",
        "organization_id": 1,
        "profile_id": next(item["id"] for item in profiles if item["name"] == "Private TLS server"),
        "term_days": 90,
        **fields,
    }
    if request["method"] == "csr":
        request.setdefault("csr", signing_request((name,)))
    else:
        request["common_name"] = name
    number: int = stage.api.post("/certificates", request)["id"]
    path = f"/certificates/{number}"
    stage.api.wait(path, lambda it: it["csr"])
    stage.api.post(f"{path}/approve", {})
    stage.api.wait(path, lambda it: it["status"] == "Issued")
    return number
