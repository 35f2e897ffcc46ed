"""The API's description: every route in it, valid references, the same each time."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from hub.access.policy import ACTIONS
from hub.composition import describe_api
from hub.config import load_settings
from hub.http.openapi import openapi_document, openapi_text
from hub.http.routing import PUBLIC


@pytest.fixture(scope="module")
def route_sets():
    return describe_api(load_settings(flags={"data_dir": "."}, environment={}))


@pytest.fixture(scope="module")
def document(route_sets):
    return openapi_document(route_sets)


def _routes(route_sets):
    return [route for route_set in route_sets for route in route_set.routes()]


def _operations(document):
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_every_route_has_an_action_that_the_policy_knows(route_sets):
    unknown = {
        f"{route.spec.method} {route.path}: {route.spec.action}"
        for route in _routes(route_sets)
        if route.spec.action != PUBLIC and route.spec.action not in ACTIONS
    }
    assert unknown == set()


def test_every_route_of_the_api_is_described(route_sets, document):
    declared = {
        (re.sub(r":int}", "}", route.path), route.spec.method.lower())
        for route in _routes(route_sets)
        if route.in_api
    }
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert declared == described | {("/api/v1/openapi.json", "get")}


def test_operations_have_unique_ids_tags_security_and_problems(document):
    operations = _operations(document)
    assert len({item["operationId"] for item in operations}) == len(operations)
    for item in operations:
        assert item["tags"]
        assert "default" in item["responses"]
        assert (item["security"] == []) is (item["x-action"] == PUBLIC)
        assert any(status.startswith("2") for status in item["responses"])


def test_path_parameters_are_declared(document):
    for path, item in document["paths"].items():
        for operation in item.values():
            declared = {
                parameter["name"]
                for parameter in operation.get("parameters", [])
                if parameter["in"] == "path"
            }
            assert declared == set(re.findall(r"{(\w+)}", path))


def test_references_lead_somewhere_and_nothing_is_left_over(document):
    text = json.dumps(document)
    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert wanted == set(document["components"]["schemas"])


def test_lists_name_their_columns(document):
    audit = document["paths"]["/api/v1/audit"]["get"]
    parameters = {item["name"]: item for item in audit["parameters"]}
    assert parameters["sort"]["schema"]["enum"] == ["sequence", "at", "-sequence", "-at"]
    assert "actor_name (text)" in parameters["filter"]["description"]
    assert "text/csv" in audit["responses"]["200"]["content"]


def test_the_text_is_the_same_each_time_and_needs_no_database(route_sets, tmp_path):
    printed = subprocess.run(
        [sys.executable, "-m", "hub.cli.main", "hub", "openapi"],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": "7", "CERTWRIGHT_DATABASE_URL": f"sqlite:///{tmp_path}/hub.db"},
    ).stdout
    assert printed == openapi_text(route_sets)
    assert list(tmp_path.iterdir()) == []
