"""Amazon Route 53, by its API of 2013-04-01 (docs.aws.amazon.com/Route53/latest/APIReference).

All values of a name are one record set there. A change deletes the set that was read and creates the new one
in the same batch: Route 53 refuses the batch when somebody has changed the set meanwhile, and it is done
again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Self
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from lxml import etree
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.organizations.dcv.contract import DnsRecord, JsonPoster
from hub.organizations.dcv.errors import WriterFailed
from hub.organizations.dcv.http_send import HttpSender, send_http
from hub.organizations.dcv.writers.aws_signature import AwsKey, signed_headers

_NAMESPACE = "{https://route53.amazonaws.com/doc/2013-04-01/}"
_VERSION = "/2013-04-01"
_TTL_S = 60
_TRIES = 5
# Route 53 answers for the whole world from here (General Reference, Service endpoints).
_REGION = "us-east-1"


class Route53Settings(BaseModel):
    """An access key that may list hosted zones and change record sets."""

    model_config = ConfigDict(extra="forbid")

    access_key_id: str = Field(pattern=r"^[A-Za-z0-9]{16,128}$")
    secret_access_key: SecretStr = Field(min_length=1, max_length=200)
    hosted_zone_id: str = Field(
        default="", pattern=r"^([A-Z0-9]{1,32})?$", description="Id of the zone; empty: look it up by name."
    )
    api_url: str = Field(default="https://route53.amazonaws.com", pattern=r"^https?://[!-~]{1,200}$")


class Route53Writer:
    """Adds and deletes single values of record sets."""

    kind = "route53"
    display_name = "Amazon Route 53"
    settings_model: type[BaseModel] = Route53Settings

    def __init__(self, settings: Route53Settings, send: HttpSender) -> None:
        self._settings = settings
        self._send = send

    @classmethod
    def open(cls, settings: BaseModel, fetch: JsonPoster) -> Self:
        """Return a writer with these settings."""
        del fetch
        if not isinstance(settings, Route53Settings):
            raise TypeError("these are not the settings of a Route 53 writer")
        return cls(settings, send_http)

    async def publish(self, record: DnsRecord) -> None:
        """Add the value to the record set."""
        await self._change(record, present=True)

    async def withdraw(self, record: DnsRecord) -> None:
        """Take the value out of the record set."""
        await self._change(record, present=False)

    async def _change(self, record: DnsRecord, *, present: bool) -> None:
        zone = await self._zone(record.name)
        value = f'"{record.value}"' if record.type == "TXT" else record.value
        for _ in range(_TRIES):
            ttl, values = await self._values(zone, record)
            if (value in values) is present:
                return
            wanted = [*values, value] if present else [item for item in values if item != value]
            if await self._replace(zone, record, ttl, values, wanted):
                return
        raise WriterFailed("UpdateRefused", f"{record.name} was changed by others {_TRIES} times")

    async def _zone(self, name: str) -> str:
        if self._settings.hosted_zone_id:
            return self._settings.hosted_zone_id
        labels = name.split(".")
        for start in range(len(labels) - 1):
            candidate = ".".join(labels[start:]) + "."
            query = urlencode({"dnsname": candidate, "maxitems": 1})
            root = await self._call("GET", f"/hostedzonesbyname?{query}")
            for zone in root.iter(f"{_NAMESPACE}HostedZone"):
                private = zone.findtext(f"{_NAMESPACE}Config/{_NAMESPACE}PrivateZone") == "true"
                if zone.findtext(f"{_NAMESPACE}Name") == candidate and not private:
                    return (zone.findtext(f"{_NAMESPACE}Id") or "").rsplit("/", 1)[-1]
        raise WriterFailed("ZoneNotFound", f"the account has no public zone for {name}")

    async def _values(self, zone: str, record: DnsRecord) -> tuple[int, list[str]]:
        query = urlencode({"maxitems": 1, "name": record.name + ".", "type": record.type})
        root = await self._call("GET", f"/hostedzone/{zone}/rrset?{query}")
        for found in root.iter(f"{_NAMESPACE}ResourceRecordSet"):
            same = found.findtext(f"{_NAMESPACE}Name") == record.name + "."
            if same and found.findtext(f"{_NAMESPACE}Type") == record.type:
                values = [item.text or "" for item in found.iter(f"{_NAMESPACE}Value")]
                return int(found.findtext(f"{_NAMESPACE}TTL") or _TTL_S), values
        return _TTL_S, []

    async def _replace(self, zone: str, record: DnsRecord, ttl: int, old: list[str], new: list[str]) -> bool:
        changes = [
            _change_xml(action, record, ttl, values)
            for action, values in (("DELETE", old), ("CREATE", new))
            if values
        ]
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<ChangeResourceRecordSetsRequest xmlns="{_NAMESPACE.strip("{}")}"><ChangeBatch><Changes>'
            f"{''.join(changes)}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        )
        path = f"/hostedzone/{zone}/rrset/"
        root = await self._call("POST", path, body.encode(), passed_over="InvalidChangeBatch")
        return bool(root.tag == f"{_NAMESPACE}ChangeResourceRecordSetsResponse")

    async def _call(
        self, method: str, path: str, body: bytes = b"", *, passed_over: str = ""
    ) -> etree._Element:
        settings = self._settings
        url = settings.api_url.rstrip("/") + _VERSION + path
        key = AwsKey(key_id=settings.access_key_id, secret=settings.secret_access_key.get_secret_value())
        headers = signed_headers(
            key, method, url, body, region=_REGION, service="route53", at=datetime.now(UTC)
        )
        if body:
            headers["content-type"] = "application/xml"
        answer = await self._send(method, url, headers=headers, body=body or None)
        try:
            root = etree.fromstring(answer.body, _parser())
        except etree.XMLSyntaxError as fault:
            raise WriterFailed("UpdateRefused", f"Route 53 answered with status {answer.status}") from fault
        if answer.status == 200:
            return root
        # Plain errors are wrapped in ErrorResponse; refused batches are not.
        code = next((item.text for item in root.iter("{*}Code")), None) or etree.QName(root).localname
        if passed_over and code == passed_over:
            return root
        text = "; ".join(item.text or "" for item in root.iter("{*}Message"))
        reason = "KeyRefused" if answer.status in {401, 403} else "UpdateRefused"
        raise WriterFailed(reason, f"Route 53 answered {code}: {text[:500]}")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _change_xml(action: str, record: DnsRecord, ttl: int, values: list[str]) -> str:
    records = "".join(f"<ResourceRecord><Value>{escape(value)}</Value></ResourceRecord>" for value in values)
    return (
        f"<Change><Action>{action}</Action><ResourceRecordSet><Name>{escape(record.name)}.</Name>"
        f"<Type>{record.type}</Type><TTL>{ttl}</TTL><ResourceRecords>{records}</ResourceRecords>"
        "</ResourceRecordSet></Change>"
    )
