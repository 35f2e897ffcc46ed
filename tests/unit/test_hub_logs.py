"""No secret reaches the log, by whatever way it comes."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog

from hub.logs import REDACTED, configure_logging, redact

TOKEN = "cwk_abcdefghijklmnopqrstuvwxyz"
JOIN = "cwt1.eyJhIjoxfQ.c2VjcmV0LXNlY3JldA"
KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----"
SECRETS = (TOKEN, JOIN, "MIGHAgEAMBMGByqGSM49", "hunter2")


@pytest.fixture(params=["json", "console"])
def stream(request):
    out = io.StringIO()
    root = logging.getLogger()
    before = root.handlers, root.level
    configure_logging(style=request.param, stream=out)
    yield out
    root.handlers, root.level = before[0], before[1]
    structlog.reset_defaults()


def _check(out, *, lines):
    text = out.getvalue()
    assert REDACTED in text
    for secret in SECRETS:
        assert secret not in text
    assert text.count("\n") >= lines


def test_values_are_redacted_by_their_names_and_looks(stream):
    log = structlog.get_logger("test")
    log.info("signed_in", password="hunter2", new_password="hunter2", csrf_token="hunter2", api_key="hunter2")
    message = f"got {TOKEN} and {JOIN}"
    log.info(message, note=KEY, headers={"Authorization": "Basic aHVudGVyMjpodW50ZXIy"})
    log.info("nested", body={"deep": [{"secret": "hunter2"}, (TOKEN,)]}, raw=KEY.encode())
    log.info("cut", text=KEY[:60], url="postgresql://me:hunter2@db/x")
    logging.getLogger("other").warning("library says %s", f"Authorization: Bearer {TOKEN}")
    _check(stream, lines=5)


def test_exceptions_are_redacted_and_show_no_local_variables(stream):
    secret_in_a_variable = "hunter2"
    try:
        int(f"bad token {TOKEN}")
    except ValueError as error:
        structlog.get_logger("test").error("failed", exc_info=error)
        logging.getLogger("other").exception("failed too")
    assert secret_in_a_variable
    _check(stream, lines=2)
    assert "ValueError" in stream.getvalue()


def test_lines_are_json_with_time_level_and_request():
    out = io.StringIO()
    before = logging.getLogger().handlers
    configure_logging(style="json", stream=out)
    try:
        with structlog.contextvars.bound_contextvars(request_id="r1"):
            structlog.get_logger("test").info("done", count=3, certificate_id=7, token_id=5)
        structlog.get_logger("test").debug("not at this level")
    finally:
        logging.getLogger().handlers = before
        structlog.reset_defaults()
    (line,) = out.getvalue().splitlines()
    body = json.loads(line)
    assert body["event"] == "done"
    assert (body["count"], body["certificate_id"], body["token_id"]) == (3, 7, 5)
    assert (body["level"], body["request_id"]) == ("info", "r1")
    assert body["timestamp"].endswith("Z")


def test_harmless_values_stay():
    value = {"name": "www.example.org", "serial": "01ab", "count": 3, "public_key": "MFkw", "active": True}
    assert redact(value) == value
