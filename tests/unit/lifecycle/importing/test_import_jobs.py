"""Imports from archive to inventory: a result a file, chains, duplicates, restarts."""

import io
import subprocess
import zipfile
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7
from sqlalchemy import func, select, text, update

from hub.access.models import AuditEntry
from hub.db.errors import NotFound
from hub.lifecycle.errors import RequestRefused
from hub.lifecycle.importing.archive import ArchiveRefused
from hub.lifecycle.importing.jobs import MAX_WAITING, TooManyImports
from hub.lifecycle.importing.models import CertificateImport, CertificateImportFile
from hub.lifecycle.importing.reading import BATCH
from hub.lifecycle.importing.recording import Owner
from hub.lifecycle.models import Certificate, CertificateBody
from tests.simulators.found_certificates import certificate, der, key_of, pem, self_signed
from tests.simulators.hub_world import ADMIN, rao


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


async def run(world, files, principal=ADMIN, *, owner=None, password=""):
    owner = owner or Owner(world.organization_id, None)
    data = files if isinstance(files, bytes) else zipped(files)
    import_id = await world.lifecycle.imports.start(
        principal, owner, data, filename="all.zip", password=password
    )
    await world.lifecycle.imports.settle()
    return import_id


async def results(world, import_id):
    rows = await world.rows(
        select(
            CertificateImportFile.name,
            CertificateImportFile.result,
            CertificateImportFile.reason,
            CertificateImportFile.certificate_ids,
        )
        .where(CertificateImportFile.import_id == import_id)
        .order_by(CertificateImportFile.id)
    )
    return {name: (result, reason, ids) for name, result, reason, ids in rows}


async def job(world, import_id):
    async with world.db.read() as session:
        return await session.get(CertificateImport, import_id)


async def test_every_format_and_one_bad_file_that_stops_nothing(world):
    chain = [certificate("b.example", issuer="CA"), certificate("CA", is_ca=True)]
    import_id = await run(
        world,
        {
            "a.cer": pem(certificate("a.example")),
            "dir/b.p7b": pkcs7.serialize_certificates(chain, serialization.Encoding.DER),
            "broken.crt": b"hello",
            "c.der": der(certificate("c.example")),
            "readme.txt": b"hello",
            "d.pem": pem(certificate("d.example")) + pem(certificate("e.example")),
            "again.crt": der(certificate("a.example")),
        },
    )
    found = await results(world, import_id)
    assert {name: (result, reason) for name, (result, reason, _) in found.items()} == {
        "a.cer": ("Imported", ""),
        "dir/b.p7b": ("Imported", ""),
        "broken.crt": ("Failed", "MalformedCertificate"),
        "c.der": ("Imported", ""),
        "readme.txt": ("Failed", "FileTypeUnknown"),
        "d.pem": ("Imported", ""),
        "again.crt": ("AlreadyKnown", ""),
    }
    assert len(found["d.pem"][2]) == 2
    assert found["again.crt"][2] == found["a.cer"][2]
    state = await job(world, import_id)
    assert (state.state, state.files, state.files_done, state.certificates) == ("Finished", 7, 7, 5)
    assert (state.files_imported, state.files_known, state.files_failed) == (4, 1, 2)
    row = await world.certificate(found["a.cer"][2][0])
    assert (row.status, row.requested_via, row.organization_id) == (
        "External",
        "Import",
        world.organization_id,
    )
    assert row.discovered_at is not None
    assert row.requester_id is None
    linked = await world.certificate(found["dir/b.p7b"][2][0])
    assert (linked.common_name, len(linked.chain)) == ("b.example", 2)


async def test_issuers_are_linked_wherever_in_the_archive_they_lie(world):
    leaf = certificate("www.example.com", issuer="Issuing CA")
    import_id = await run(
        world,
        {
            "1-leaf.pem": pem(leaf),
            "2-issuing.pem": pem(certificate("Issuing CA", issuer="Root CA", is_ca=True)),
            "3-root.pem": pem(certificate("Root CA", is_ca=True)),
        },
    )
    ((_, _, (leaf_id,)), *_) = (await results(world, import_id)).values()
    row = await world.certificate(leaf_id)
    assert len(row.chain) == 3
    ((stored,),) = await world.rows(
        select(func.count()).select_from(CertificateBody).where(CertificateBody.sha256.in_(row.chain))
    )
    assert stored == 3
    file = await world.lifecycle.download(ADMIN, leaf_id, "x509")
    assert file.body.count(b"BEGIN CERTIFICATE") == 3


@pytest.mark.parametrize("password", ["", "open sesame"])
async def test_of_a_file_with_a_private_key_only_certificates_are_taken(world, tmp_path, password):
    key = key_of("p12.example").private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "leaf.pem").write_bytes(pem(certificate("p12.example", issuer="P12 CA")))
    (tmp_path / "ca.pem").write_bytes(pem(certificate("P12 CA", is_ca=True)))
    parts = ["-inkey", "key.pem", "-in", "leaf.pem", "-certfile", "ca.pem", "-out", "all.p12"]
    subprocess.run(
        ["openssl", "pkcs12", "-export", *parts, "-passout", f"pass:{password}"],
        cwd=tmp_path,
        check=True,
    )
    container = (tmp_path / "all.p12").read_bytes()
    import_id = await run(
        world, {"x.p12": container, "y.pem": key + pem(certificate("y.example"))}, password=password
    )
    found = await results(world, import_id)
    assert {name: result for name, (result, _, _) in found.items()} == {
        "x.p12": "Imported",
        "y.pem": "Imported",
    }
    row = await world.certificate(found["x.p12"][2][0])
    assert (row.common_name, len(row.chain)) == ("p12.example", 2)
    number = key_of("p12.example").private_numbers().private_value
    secrets = [number.to_bytes(32, "big"), key.split(b"\n")[1]] + ([password.encode()] if password else [])
    await world.db.close()
    for path in tmp_path.glob("hub.db*"):
        stored = path.read_bytes()
        for secret in secrets:
            assert secret not in stored
    world.open()


async def test_a_wrong_password_is_said_of_its_file_only(world, tmp_path):
    (tmp_path / "all.pem").write_bytes(
        pem(certificate("p.example"))
        + key_of("p.example").private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    subprocess.run(
        ["openssl", "pkcs12", "-export", "-in", "all.pem", "-out", "a.p12", "-passout", "pass:right"],
        cwd=tmp_path,
        check=True,
    )
    files = {"a.pfx": (tmp_path / "a.p12").read_bytes(), "b.pem": pem(certificate("b.example"))}
    found = await results(world, await run(world, files, password="wrong"))
    assert found["a.pfx"][:2] == ("Failed", "WrongPassphrase")
    assert found["b.pem"][0] == "Imported"


async def test_what_others_have_is_known_and_not_shown(world):
    theirs = await self_signed(world, "shared.example", organization_id=world.other_organization_id)
    import_id = await run(world, {"a.pem": pem(certificate("shared.example"))}, rao(world.organization_id))
    assert await results(world, import_id) == {"a.pem": ("AlreadyKnown", "", [])}
    assert (await world.certificate(theirs)).organization_id == world.other_organization_id


async def test_where_one_may_not_act_and_what_is_no_archive(world):
    good = {"a.pem": pem(certificate("a.example"))}
    with pytest.raises(RequestRefused):
        await run(world, good, rao(world.organization_id), owner=Owner(world.other_organization_id, None))
    with pytest.raises(NotFound):
        await run(world, good, owner=Owner(world.organization_id, 999))
    with pytest.raises(ArchiveRefused):
        await run(world, b"hello")
    assert await world.rows(select(CertificateImport.id)) == []


async def test_many_files_come_in_batches_and_are_told_once(world):
    count = BATCH + 5
    files = {f"{number}.pem": pem(certificate(f"h{number}.example")) for number in range(3)}
    files |= {f"junk-{number}.txt": b"x" for number in range(count)}
    import_id = await run(world, files)
    state = await job(world, import_id)
    assert (state.files_done, state.files_failed, state.certificates) == (count + 3, count, 3)
    kinds = [kind for kind, _ in await world.events()]
    assert kinds.count("CertificateImported") == 3
    assert kinds.count("CertificateImportFinished") == 1
    audited = await world.rows(
        select(AuditEntry.details).where(AuditEntry.action == "CertificateImportFinished")
    )
    assert audited[0][0]["certificates"] == 3


async def test_an_import_whose_hub_died_ends_as_failed_with_what_was_done(world):
    import_id = await run(world, {"a.pem": pem(certificate("a.example"))})
    async with world.db.write() as uow:
        await uow.session.execute(
            update(CertificateImport).values(state="Running", finished_at=None, files=5)
        )
    await world.reopen()
    assert await world.lifecycle.imports.sweep() == 0
    world.clock.forward(minutes=6)
    assert await world.lifecycle.imports.sweep() == 1
    state = await job(world, import_id)
    assert (state.state, state.files_done, state.certificates) == ("Failed", 1, 1)
    assert "send it again" in state.message
    again = await run(world, {"a.pem": pem(certificate("a.example")), "b.pem": pem(certificate("b.example"))})
    assert [result for result, _, _ in (await results(world, again)).values()] == ["AlreadyKnown", "Imported"]


async def test_a_hub_that_stops_ends_its_imports(world):
    files = {f"{number}.txt": b"x" for number in range(3 * BATCH)}
    import_id = await world.lifecycle.imports.start(ADMIN, Owner(world.organization_id, None), zipped(files))
    await world.lifecycle.imports.close()
    state = await job(world, import_id)
    assert state.state == "Failed"
    assert state.files_done < 3 * BATCH


async def test_an_import_that_goes_on_is_not_ended_by_others(world):
    jobs = world.lifecycle.imports
    await jobs._turn.acquire()
    import_id = await jobs.start(
        ADMIN, Owner(world.organization_id, None), zipped({"a.pem": pem(certificate("a.example"))})
    )
    world.clock.now += timedelta(minutes=10)
    assert await jobs.sweep() == 0
    jobs._turn.release()
    await jobs.settle()
    assert (await job(world, import_id)).state == "Finished"


async def test_only_so_many_wait(world):
    jobs = world.lifecycle.imports
    await jobs._turn.acquire()
    data, owner = zipped({"a.txt": b"x"}), Owner(world.organization_id, None)
    for _ in range(MAX_WAITING):
        await jobs.start(ADMIN, owner, data)
    with pytest.raises(TooManyImports):
        await jobs.start(ADMIN, owner, data)
    jobs._turn.release()
    await jobs.settle()
    ((states,),) = await world.rows(select(func.count(func.distinct(CertificateImport.state))))
    assert states == 1
    assert await world.rows(text("SELECT 1 FROM certificate_import_files LIMIT 1"))
    assert await world.rows(select(Certificate.id)) == []
