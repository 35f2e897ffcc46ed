"""DNS writers for providers, at strict simulators of their APIs; and a program on the hub's host."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from aiohttp import web

from hub.organizations.dcv.contract import DnsRecord
from hub.organizations.dcv.errors import WriterFailed
from hub.organizations.dcv.json_post import post_json
from hub.organizations.dcv.registry import installed_writers
from hub.organizations.dcv.writers.aws_signature import AwsKey, signed_headers
from hub.organizations.dcv.writers.azure_dns import AzureDnsSettings, AzureDnsWriter
from hub.organizations.dcv.writers.cloudflare import CloudflareSettings, CloudflareWriter
from hub.organizations.dcv.writers.program import FOLDER_VARIABLE, ProgramSettings, ProgramWriter
from hub.organizations.dcv.writers.route53 import Route53Settings, Route53Writer
from tests.simulators.dns_providers import SUBSCRIPTION, TENANT, AzureDns, Cloudflare, Route53

NAME = "_acme-challenge.www.example.com"


def record(value="a" * 43, name=NAME) -> DnsRecord:
    return DnsRecord(name=name, type="TXT", value=value)


@dataclass
class Provider:
    """A simulator and how to make a writer for it; ``bad`` are settings with a wrong secret."""

    simulator: object
    make: object
    bad: dict


def cloudflare(url):
    def make(**changes):
        values = {"api_token": "cf-token", "api_url": f"{url}/client/v4"} | changes
        return CloudflareWriter.open(CloudflareSettings(**values), post_json)

    return make, {"api_token": "other"}


def route53(url):
    def make(**changes):
        values = {
            "access_key_id": "AKIDEXAMPLEAKIDEXAMPLE",
            "secret_access_key": Route53.secret,
            "api_url": url,
        }
        return Route53Writer.open(Route53Settings(**(values | changes)), post_json)

    return make, {"secret_access_key": "other"}


def azure(url):
    def make(**changes):
        values = {
            "tenant_id": TENANT,
            "client_id": TENANT,
            "client_secret": "azure-secret",
            "subscription_id": SUBSCRIPTION,
            "resource_group": "dns",
            "zone": "example.com",
            "login_url": url,
            "api_url": url,
        }
        return AzureDnsWriter.open(AzureDnsSettings(**(values | changes)), post_json)

    return make, {"client_secret": "other"}


@pytest.fixture(params=[(Cloudflare, cloudflare), (Route53, route53), (AzureDns, azure)])
async def provider(request):
    simulator_type, maker = request.param
    simulator = simulator_type()
    runner = web.AppRunner(simulator.application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    make, bad = maker(f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield Provider(simulator, make, bad)
    await runner.cleanup()


async def test_values_are_added_beside_others_and_taken_away_alone(provider):
    writer = provider.make()
    first, second = record("a" * 43), record("b" * 43)
    for item in (first, second, first):
        await writer.publish(item)
    assert provider.simulator.values(NAME) == {first.value, second.value}
    for _ in range(2):
        await writer.withdraw(first)
    assert provider.simulator.values(NAME) == {second.value}
    await writer.withdraw(second)
    assert provider.simulator.values(NAME) == set()


async def test_a_secret_that_is_refused(provider):
    with pytest.raises(WriterFailed) as caught:
        await provider.make(**provider.bad).publish(record())
    assert caught.value.reason == "KeyRefused"
    assert "other" not in str(caught.value)


async def test_a_name_of_another_zone(provider):
    with pytest.raises(WriterFailed) as caught:
        await provider.make().publish(record(name="_acme-challenge.example.net"))
    assert caught.value.reason == "ZoneNotFound"


async def test_what_others_write_meanwhile_is_kept(provider):
    meddle = getattr(provider.simulator, "meddle", None)
    if meddle is None:
        await provider.make().publish(record("c" * 43))
        assert provider.simulator.values(NAME) == {"c" * 43}
        return
    azure_name = NAME.removesuffix(".example.com")
    is_azure = isinstance(provider.simulator, AzureDns)
    meddle.append((azure_name, "of others") if is_azure else (NAME + ".", '"of others"'))
    await provider.make().publish(record())
    assert provider.simulator.values(NAME) == {"a" * 43, "of others"}


async def test_a_provider_that_is_away():
    writer = CloudflareWriter.open(
        CloudflareSettings(api_token="x", api_url="http://127.0.0.1:9/client/v4"), post_json
    )
    with pytest.raises(WriterFailed) as caught:
        await writer.publish(record())
    assert caught.value.reason == "ServerUnreachable"


def test_the_vendor_s_own_example_of_a_signature():
    """The case get-vanilla of the published test suite for Signature Version 4."""
    key = AwsKey(key_id="AKIDEXAMPLE", secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    headers = signed_headers(
        key,
        "GET",
        "https://example.amazonaws.com/",
        b"",
        region="us-east-1",
        service="service",
        at=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )
    assert headers["authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )


def test_all_kinds_are_found():
    assert {"azure_dns", "cloudflare", "program", "route53"} <= set(installed_writers())


# ---- a program


@pytest.fixture
def programs(tmp_path, monkeypatch):
    folder = tmp_path / "programs"
    folder.mkdir(mode=0o755)
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    monkeypatch.setenv("HUB_SECRET", "not for programs")

    def add(text, *, name="dns", mode=0o755):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(mode)
        return ProgramWriter.open(ProgramSettings(program=name, timeout_s=1), post_json)

    add.folder = folder
    return add


async def test_a_program_is_told_what_to_do(programs, tmp_path):
    log = tmp_path / "log"
    writer = programs(f'echo "$1" >>{log}; cat >>{log}; env >>{log}')
    await writer.publish(record())
    text = log.read_text()
    assert text.splitlines()[0] == "publish"
    assert json.loads(text.splitlines()[1]) == {"name": NAME, "type": "TXT", "value": "a" * 43}
    assert "not for programs" not in text
    await writer.withdraw(record())
    assert "withdraw" in log.read_text()


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        ("echo 'no such zone' >&2; exit 3", 0o755, "ProgramFailed"),
        ("sleep 60", 0o755, "ProgramTimedOut"),
        ("true", 0o757, "ProgramNotTrusted"),
        ("true", 0o644, "ProgramFailed"),
    ],
)
async def test_programs_that_fail(programs, text, mode, reason):
    with pytest.raises(WriterFailed) as caught:
        await programs(text, mode=mode).publish(record())
    assert caught.value.reason == reason
    if "exit" in text:
        assert "no such zone" in str(caught.value)


@pytest.mark.parametrize("name", ["../dns", "/bin/sh", ".hidden", "a b", ""])
def test_only_programs_of_the_folder_can_be_named(name):
    with pytest.raises(ValueError, match="pattern"):
        ProgramSettings(program=name)


async def test_a_program_that_is_not_there(programs):
    writer = ProgramWriter.open(ProgramSettings(program="other"), post_json)
    with pytest.raises(WriterFailed) as caught:
        await writer.publish(record())
    assert caught.value.reason == "ProgramNotFound"
