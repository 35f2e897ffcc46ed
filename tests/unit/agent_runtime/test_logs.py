import io
import json

import pytest
import structlog

from agents.runtime.logs import configure_logs


@pytest.fixture
def log():
    stream = io.StringIO()
    configure_logs(stream=stream)
    yield structlog.get_logger("test"), lambda: json.loads(stream.getvalue())
    structlog.reset_defaults()


def test_a_line_is_one_json_object(log):
    logger, line = log

    logger.info("connected", hub_version="1", items=(1, 2))

    assert line() | {"timestamp": ""} == {
        "event": "connected",
        "hub_version": "1",
        "items": [1, 2],
        "level": "info",
        "timestamp": "",
    }


@pytest.mark.parametrize(
    "name", ["token", "token_secret", "passphrase", "private_key", "key", "kek", "envelope", "agent_pem"]
)
def test_secrets_are_hidden_at_any_depth(log, name):
    logger, line = log

    logger.info("event", **{name: "s3cret"}, nested={name: "s3cret", "list": [{name: "s3cret"}]})

    assert "s3cret" not in json.dumps(line())


def test_bytes_are_never_printed(log):
    logger, line = log

    logger.info("event", data=b"s3cret", deep=[b"s3cret"])

    assert line()["data"] == "<6 bytes>"
    assert line()["deep"] == ["<6 bytes>"]


def test_what_names_a_key_is_shown(log):
    logger, line = log

    logger.info("event", key_id="order-1", key_type="RSA-2048")

    assert (line()["key_id"], line()["key_type"]) == ("order-1", "RSA-2048")
