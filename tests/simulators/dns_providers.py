"""Simulators of DNS providers' APIs, as strict as their documentation: Cloudflare, Route 53, Azure DNS.

Each holds TXT values by name, in ``records``, for the one zone example.com.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import web
from lxml import etree

ZONE = "example.com"


@dataclass
class Cloudflare:
    """API v4: bearer token; TXT contents are kept in quotes, and identical records refused."""

    token: str = "cf-token"
    records: dict[str, tuple[str, str]] = field(default_factory=dict)
    number: int = 0

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._authorized])
        app.router.add_get("/client/v4/zones", self._zones)
        app.router.add_get("/client/v4/zones/{zone}/dns_records", self._list)
        app.router.add_post("/client/v4/zones/{zone}/dns_records", self._create)
        app.router.add_delete("/client/v4/zones/{zone}/dns_records/{id}", self._delete)
        return app

    @staticmethod
    def _answer(result, *, status=200, errors=()):
        return web.json_response(
            {"success": status == 200, "errors": list(errors), "messages": [], "result": result},
            status=status,
        )

    @web.middleware
    async def _authorized(self, request, handler):
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return self._answer(None, status=403, errors=[{"code": 9109, "message": "Invalid access token"}])
        if request.match_info.get("zone", "z" * 32) != "z" * 32:
            return self._answer(None, status=404, errors=[{"code": 7003, "message": "Could not route"}])
        return await handler(request)

    async def _zones(self, request):
        known = request.query["name"] == ZONE
        return self._answer([{"id": "z" * 32, "name": ZONE}] if known else [])

    async def _list(self, request):
        found = [
            {"id": key, "type": "TXT", "name": name, "content": content}
            for key, (name, content) in self.records.items()
            if name == request.query["name"] and request.query["type"] == "TXT"
        ]
        return self._answer(found)

    async def _create(self, request):
        body = await request.json()
        assert body["type"] == "TXT"
        assert body["content"].startswith('"')
        assert body["ttl"] == 1 or body["ttl"] >= 60
        if (body["name"], body["content"]) in self.records.values():
            error = {"code": 81058, "message": "An identical record already exists."}
            return self._answer(None, status=400, errors=[error])
        self.number += 1
        self.records[f"{self.number:032x}"] = (body["name"], body["content"])
        return self._answer({"id": f"{self.number:032x}"})

    async def _delete(self, request):
        del self.records[request.match_info["id"]]
        return self._answer({"id": request.match_info["id"]})

    def values(self, name: str) -> set[str]:
        return {content.strip('"') for known, content in self.records.values() if known == name}


def _signature(secret: str, request: web.Request, body: bytes) -> str:
    """Signature Version 4, from the request as it arrived; written apart from the hub's own code."""
    stamp = request.headers["x-amz-date"]
    credential, signed, _ = (
        part.split("=", 1)[1]
        for part in request.headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", ")
    )
    _, day, region, service, end = credential.split("/")
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(request.query.items())
    )
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed.split(";"))
    canonical = f"{request.method}\n{request.path}\n{query}\n{headers}\n{signed}\n"
    canonical += hashlib.sha256(body).hexdigest()
    scope = f"{day}/{region}/{service}/{end}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, end):
        key = hmac.new(key, part.encode(), "sha256").digest()
    return hmac.new(key, text.encode(), "sha256").hexdigest()


@dataclass
class Route53:
    """API of 2013-04-01: a batch is applied as a whole, or refused with InvalidChangeBatch."""

    secret: str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    records: dict[str, list[str]] = field(default_factory=dict)
    meddle: list[tuple[str, str]] = field(default_factory=list)
    batches: int = 0

    _NS = "https://route53.amazonaws.com/doc/2013-04-01/"

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._authorized])
        app.router.add_get("/2013-04-01/hostedzonesbyname", self._zones)
        app.router.add_get("/2013-04-01/hostedzone/ZEXAMPLE/rrset", self._list)
        app.router.add_post("/2013-04-01/hostedzone/ZEXAMPLE/rrset/", self._change)
        return app

    def _xml(self, text: str, status: int = 200) -> web.Response:
        return web.Response(text=f"<?xml version='1.0'?>{text}", status=status, content_type="text/xml")

    @web.middleware
    async def _authorized(self, request, handler):
        body = await request.read()
        given = request.headers["Authorization"].rsplit("Signature=", 1)[1]
        if not hmac.compare_digest(given, _signature(self.secret, request, body)):
            return self._xml(
                f'<ErrorResponse xmlns="{self._NS}"><Error><Type>Sender</Type>'
                "<Code>SignatureDoesNotMatch</Code><Message>The request signature does not match"
                "</Message></Error><RequestId>1</RequestId></ErrorResponse>",
                403,
            )
        return await handler(request)

    async def _zones(self, request):
        # The list begins at the name, in the order of reversed labels: the first may be another zone.
        name = ZONE if request.query["dnsname"] == ZONE + "." else "zzz.example"
        return self._xml(
            f'<ListHostedZonesByNameResponse xmlns="{self._NS}"><HostedZones><HostedZone>'
            f"<Id>/hostedzone/ZEXAMPLE</Id><Name>{name}.</Name><CallerReference>r</CallerReference>"
            "<Config><PrivateZone>false</PrivateZone></Config></HostedZone></HostedZones>"
            "<IsTruncated>false</IsTruncated><MaxItems>1</MaxItems></ListHostedZonesByNameResponse>"
        )

    async def _list(self, request):
        name = request.query["name"]
        found = "".join(
            f"<ResourceRecordSet><Name>{known}</Name><Type>TXT</Type><TTL>60</TTL><ResourceRecords>"
            + "".join(f"<ResourceRecord><Value>{value}</Value></ResourceRecord>" for value in values)
            + "</ResourceRecords></ResourceRecordSet>"
            for known, values in sorted(self.records.items())
            if known >= name
        )
        answer = self._xml(
            f'<ListResourceRecordSetsResponse xmlns="{self._NS}"><ResourceRecordSets>{found}'
            "</ResourceRecordSets></ListResourceRecordSetsResponse>"
        )
        if self.meddle:
            other, value = self.meddle.pop(0)
            self.records.setdefault(other, []).append(value)
        return answer

    async def _change(self, request):
        self.batches += 1
        root = etree.fromstring(await request.read())
        after = {name: list(values) for name, values in self.records.items()}
        for change in root.iter(f"{{{self._NS}}}Change"):
            texts = {etree.QName(item).localname: item.text for item in change.iter()}
            values = [item.text for item in change.iter(f"{{{self._NS}}}Value")]
            name = texts["Name"]
            if texts["Action"] == "DELETE":
                if sorted(after.get(name, [])) != sorted(values):
                    return self._refused("the values provided do not match the current values")
                del after[name]
            else:
                assert texts["Action"] == "CREATE"
                if name in after:
                    return self._refused("but it already exists")
                after[name] = values
        self.records = after
        return self._xml(
            f'<ChangeResourceRecordSetsResponse xmlns="{self._NS}"><ChangeInfo><Id>/change/C1</Id>'
            "<Status>PENDING</Status></ChangeInfo></ChangeResourceRecordSetsResponse>"
        )

    def _refused(self, text: str) -> web.Response:
        return self._xml(
            f'<InvalidChangeBatch xmlns="{self._NS}"><Messages><Message>{text}</Message></Messages>'
            "<RequestId>1</RequestId></InvalidChangeBatch>",
            400,
        )

    def values(self, name: str) -> set[str]:
        return {value.strip('"') for value in self.records.get(name + ".", [])}


TENANT = "11111111-2222-3333-4444-555555555555"
SUBSCRIPTION = "66666666-7777-8888-9999-000000000000"


@dataclass
class AzureDns:
    """Resource Manager API of 2018-05-01 with ETags, and the token endpoint before it."""

    secret: str = "azure-secret"
    records: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    meddle: list[tuple[str, str]] = field(default_factory=list)

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_post(f"/{TENANT}/oauth2/v2.0/token", self._token)
        group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/dns"
        path = f"{group}/providers/Microsoft.Network/dnsZones/{ZONE}/TXT"
        for method, handler in {"GET": self._get, "PUT": self._put, "DELETE": self._delete}.items():
            app.router.add_route(method, path + "/{name}", handler)
        return app

    async def _token(self, request):
        form = await request.post()
        assert form["grant_type"] == "client_credentials"
        assert form["scope"] == "https://management.azure.com/.default"
        if form["client_secret"] != self.secret:
            error = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret"}
            return web.json_response(error, status=401)
        return web.json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": "token-1"})

    def _check(self, request) -> str:
        assert request.headers["Authorization"] == "Bearer token-1"
        assert request.query["api-version"] == "2018-05-01"
        return request.match_info["name"]

    def _fits(self, request, name: str) -> bool:
        known = self.records.get(name)
        if request.headers.get("If-None-Match") == "*":
            return known is None
        return known is not None and request.headers.get("If-Match") == f"etag-{known[0]}"

    @staticmethod
    def _error(status: int, code: str) -> web.Response:
        return web.json_response({"error": {"code": code, "message": "as the code says"}}, status=status)

    async def _get(self, request):
        name = self._check(request)
        found = self.records.get(name)
        if self.meddle:
            other, value = self.meddle.pop(0)
            number, values = self.records.get(other, (0, []))
            self.records[other] = (number + 1, [*values, value])
        if found is None:
            return self._error(404, "NotFound")
        records = [{"value": [value]} for value in found[1]]
        return web.json_response(
            {"name": name, "etag": f"etag-{found[0]}", "properties": {"TTL": 60, "TXTRecords": records}}
        )

    async def _put(self, request):
        name = self._check(request)
        if not self._fits(request, name):
            return self._error(412, "PreconditionFailed")
        body = json.loads(await request.read())
        values = ["".join(item["value"]) for item in body["properties"]["TXTRecords"]]
        assert values
        number = self.records.get(name, (0, []))[0] + 1
        self.records[name] = (number, values)
        return web.json_response({"name": name, "etag": f"etag-{number}"}, status=201)

    async def _delete(self, request):
        name = self._check(request)
        if not self._fits(request, name):
            return self._error(412, "PreconditionFailed")
        del self.records[name]
        return web.Response()

    def values(self, name: str) -> set[str]:
        return set(self.records.get(name.removesuffix("." + ZONE), (0, []))[1])
