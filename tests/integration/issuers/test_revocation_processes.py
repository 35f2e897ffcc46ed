"""Two hub processes over one PostgreSQL: what one revokes, OpenSSL hears from both within the minute.

The same hub's status is then exported, and nginx serves the files.
"""

import asyncio
import contextlib
import json
import signal
import socket
import sys
import time
import urllib.parse
import uuid

import aiohttp
import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from hub.issuers.ocsp.static_files import StaticFiles
from pki.csrs import build_csr
from pki.encodings import csr_pem
from pki.keys import KeyType, generate_key
from pki.names import SubjectFields
from pki.ocsp import IssuerHashes, encode_cert_id, path_of_request, plain_request
from tests.integration.issuers.test_ocsp import responder_path
from tests.integration.issuers.test_openssl import crl_path, openssl

pytestmark = pytest.mark.server
HUB = [sys.executable, "-m", "hub.cli.main", "hub"]
FREE = ["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--enroll", "127.0.0.1:0", "--insecure-http"]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return bound.getsockname()[1]


async def run(*words):
    process = await asyncio.create_subprocess_exec(
        *HUB, *map(str, words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


@contextlib.asynccontextmanager
async def serving(folder, *options):
    """A hub process; yields where its API and its plain status listener are."""
    status = free_port()
    process = await asyncio.create_subprocess_exec(
        *HUB, "serve", "--data-dir", str(folder), *FREE, "--status-http", f"127.0.0.1:{status}", *options,
        "--log-level", "warning", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    errors = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        assert line.startswith("ready "), (await errors).decode()
        words = dict(word.split("=", 1) for word in line.split()[1:])
        yield words["http"], f"http://127.0.0.1:{status}"
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
        await errors


@pytest.fixture
async def database(postgres):
    name = f"hub_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(host=str(postgres), user="certwright", database="postgres")
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return f"postgresql://certwright@/{name}?host={postgres}"


@pytest.fixture
async def replicas(database, tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    made = json.loads(await run("init", "--data-dir", folders[0], "--database-url", database, "--json"))
    folders[1].mkdir()
    key = ["--key-file", str(folders[0] / "hub.key"), "--database-url", database]
    async with contextlib.AsyncExitStack() as stack:
        hubs = [await stack.enter_async_context(serving(folder, *key)) for folder in folders]
        headers = {"Authorization": f"Bearer {made['api_token']}"}
        clients = [
            await stack.enter_async_context(aiohttp.ClientSession(api, headers=headers)) for api, _ in hubs
        ]
        yield clients, [status for _, status in hubs]


async def issue(client, tmp_path):
    """Request and download; returns id and the chain's DER, leaf first."""
    name = "www.example.com"
    csr = build_csr(generate_key(KeyType.EC_P256), SubjectFields(common_name=name), [name])
    async with client.patch("/api/v1/profiles/1", json={"auto_approve": True}) as answer:
        assert answer.status == 200, await answer.text()
    body = {
        "method": "csr",
        "organization_id": 1,
        "profile_id": 1,
        "term_days": 90,
        "common_name": name,
        "csr": csr_pem(csr).decode(),
    }
    async with client.post("/api/v1/certificates", json=body) as answer:
        made = await answer.json()
        assert (answer.status, made["status"]) == (201, "Issued"), made
    async with client.get(f"/api/v1/certificates/{made['id']}/download?format=x509CO") as answer:
        text = await answer.text()
        assert answer.status == 200, text
    chain = x509.load_pem_x509_certificates(text.encode())
    async with client.get("/api/v1/ca-backends/1/chain") as answer:
        chain = [chain[0], *x509.load_pem_x509_certificates(await answer.read())]
    for file, certificate in zip(("leaf", "issuing", "root"), chain, strict=True):
        (tmp_path / file).write_bytes(certificate.public_bytes(Encoding.PEM))
    return made["id"], [certificate.public_bytes(Encoding.DER) for certificate in chain]


async def status_at(url, chain, tmp_path):
    code, output = await openssl(
        "ocsp", "-issuer", tmp_path / "issuing", "-cert", tmp_path / "leaf", "-no_nonce", "-url",
        f"{url}{responder_path(chain[0])}", "-CAfile", tmp_path / "root", "-verify_other",
        tmp_path / "issuing",
    )  # fmt: skip
    assert "Response verify OK" in output, output
    return output.split("leaf: ", 1)[1].split()[0], code


async def on_list(url, chain):
    async with aiohttp.request("GET", f"{url}{crl_path(chain[0])}") as answer:
        crl = x509.load_der_x509_crl(await answer.read())
    serial = x509.load_der_x509_certificate(chain[0]).serial_number
    return crl.get_revoked_certificate_by_serial_number(serial) is not None


async def test_a_revocation_is_seen_everywhere_within_the_minute(replicas, tmp_path):
    (first, _), status_urls = replicas
    certificate_id, chain = await issue(first, tmp_path)
    for url in status_urls:
        # Twice: the second answer comes from memory.
        for _ in range(2):
            assert await status_at(url, chain, tmp_path) == ("good", 0)
        assert not await on_list(url, chain)

    async with first.post(
        f"/api/v1/certificates/{certificate_id}/revoke", json={"reason": "keyCompromise"}
    ) as answer:
        assert answer.status == 200, await answer.text()
    revoked_at = time.monotonic()
    for url in status_urls:
        async with asyncio.timeout_at(asyncio.get_running_loop().time() + 60):
            while (await status_at(url, chain, tmp_path))[0] != "revoked" or not await on_list(url, chain):
                await asyncio.sleep(0.1)
    # With margin: a notice takes milliseconds, and a lost one some seconds.
    assert time.monotonic() - revoked_at < 20


@pytest.fixture
async def nginx(tmp_path):
    """Serves the exported folder as the documentation says."""
    port = free_port()
    folder = tmp_path / "export"
    (tmp_path / "nginx.conf").write_text(
        f"""
        daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;
        events {{ worker_connections 64; }}
        http {{
          access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;
          fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;
          server {{
            listen 127.0.0.1:{port};
            root {folder};
            location /ocsp/ {{
              default_type application/ocsp-response; index index.ocsp;
              add_header Cache-Control "max-age=60, public, no-transform, must-revalidate";
            }}
            location /crl/ {{ default_type application/pkix-crl; }}
            location /aia/ {{ default_type application/pkix-cert; }}
          }}
        }}
        """
    )
    process = await asyncio.create_subprocess_exec("nginx", "-c", str(tmp_path / "nginx.conf"))
    try:
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}", folder
    finally:
        process.terminate()
        await process.wait()


async def test_a_web_server_answers_from_exported_files(nginx, replicas, database, tmp_path):
    url, folder = nginx
    (first, _), (status_url, _) = replicas
    certificate_id, chain = await issue(first, tmp_path)
    issuer = IssuerHashes.of(chain[1])
    leaf = x509.load_der_x509_certificate(chain[0])

    async def export():
        key = ["--key-file", tmp_path / "one" / "hub.key", "--database-url", database]
        await run("export-status", "--data-dir", tmp_path / "one", *key, "--to", folder)
        return json.loads((folder / "status.json").read_text())

    async def answer(base):
        address = path_of_request(plain_request(encode_cert_id(issuer, leaf.serial_number)))
        path = f"{responder_path(chain[0])}/{urllib.parse.quote(address, safe='')}"
        async with aiohttp.request("GET", f"{base}{path}") as got:
            assert (got.status, got.headers["Content-Type"]) == (200, "application/ocsp-response")
            return ocsp.load_der_ocsp_response(await got.read())

    manifest = await export()
    assert {item.get("folder", "crl").split("/")[0] for item in manifest["files"]} == {"ocsp", "crl"}
    assert (await answer(url)).certificate_status is ocsp.OCSPCertStatus.GOOD
    assert not await on_list(url, chain)
    async with first.post(f"/api/v1/certificates/{certificate_id}/revoke", json={}) as revoked:
        assert revoked.status == 200
    await export()
    for base in (url, status_url):
        assert (await answer(base)).certificate_status is ocsp.OCSPCertStatus.REVOKED
        assert await on_list(base, chain)
    assert not list(folder.rglob("*.new"))


def test_addresses_with_slashes_are_files_too(tmp_path):
    issuer = IssuerHashes({"sha1": (b"\xff" * 20, b"\xff" * 20)})
    # All slashes, slashes at the end, and none; of several lengths.
    serials = [(1 << bits) - 1 for bits in range(100, 135)] + [1 << bits for bits in range(100, 135)]
    requests = [plain_request(encode_cert_id(issuer, serial)) for serial in serials]
    addresses = [path_of_request(request) for request in requests]
    assert any(address.endswith("/") for address in addresses)
    assert any("//" in address for address in addresses)
    files = StaticFiles(tmp_path)
    for request, address in zip(requests, addresses, strict=True):
        files.write_answer("ca", address, request)
    found = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(found) == sorted(requests)

    again = StaticFiles(tmp_path)
    again.write_answer("ca", addresses[0], requests[0])
    assert again.remove_others("ocsp") == len(requests) - 1
    (left,) = (path for path in tmp_path.rglob("*") if path.is_file())
    assert left.read_bytes() == requests[0]
