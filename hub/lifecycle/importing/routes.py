"""Admin REST of imports: an archive in, progress and a result a file out."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.errors import Malformed, NotFound
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.listing import ListEndpoint, ListQuery, Page
from hub.http.principal import Principal
from hub.http.problems import UnsupportedMediaType
from hub.http.routing import RouteSet, StreamedResponse, get, post
from hub.lifecycle.importing.archive import ArchiveLimits
from hub.lifecycle.importing.jobs import ImportJobs
from hub.lifecycle.importing.listing import FILES, IMPORTS, import_scope
from hub.lifecycle.importing.models import CertificateImport, CertificateImportFile
from hub.lifecycle.importing.multipart import parse_form
from hub.lifecycle.importing.recording import Owner
from hub.lifecycle.importing.schemas import ImportFileView, ImportQuery, ImportStarted, ImportView

PASSWORD_HEADER = "Certwright-Import-Password"  # noqa: S105 - the name of a header
_ZIP_TYPES = frozenset({"application/zip", "application/x-zip-compressed", "application/octet-stream"})
_FORM_BYTES = 64 * 1024
_MAX_PASSWORD = 1024


class ImportNotFound(NotFound):
    """There is no such import, or it is outside your scope."""

    code = "import_not_found"


class ImportRoutes(RouteSet):
    """``/certificates/imports``, and ``/certificates/import`` to begin one."""

    prefix, tag = "/certificates", "certificate-imports"

    def __init__(self, db: Database, jobs: ImportJobs) -> None:
        self._db = db
        self._jobs = jobs
        self._imports = ListEndpoint(db, IMPORTS, scope=import_scope, filename="imports.csv")
        self._files = ListEndpoint(db, FILES, filename="import-files.csv")

    @post(
        "/import",
        action="certificates.import",
        summary="Import certificates from a ZIP archive",
        query=ImportQuery,
        returns=ImportStarted,
        status=202,
        reads_raw_body=True,
        max_body_bytes=ArchiveLimits().archive + _FORM_BYTES,
    )
    async def start(self, call: Call[None, ImportQuery]) -> ImportStarted:
        """Take an archive: as the body (``application/zip``), or as field ``file`` of a form.

        The password of PKCS#12 files is the form's field ``password``, or a header: addresses are logged.
        """
        data, filename, password = _upload(call)
        owner = Owner(call.query.organization_id, call.query.department_id)
        import_id = await self._jobs.start(
            call.principal, owner, data, filename=filename or call.query.filename, password=password
        )
        return ImportStarted(id=import_id)

    @get(
        "/imports",
        action="certificates.view",
        summary="List imports",
        query=ListQuery,
        returns=Page[ImportView],
        listing=IMPORTS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[ImportView] | StreamedResponse:
        """Return a page, or everything as CSV."""
        return await self._imports(call)

    @get(
        "/imports/{id:int}",
        action="certificates.view",
        summary="Read an import and how far it is",
        returns=ImportView,
    )
    async def read(self, call: Call[None, None]) -> ImportView:
        """Return one import."""
        async with self._db.read() as session:
            return await _read(session, call.principal, call.int_path("id"))

    @get(
        "/imports/{id:int}/files",
        action="certificates.view",
        summary="List what became of each file of an import",
        query=ListQuery,
        returns=Page[ImportFileView],
        listing=FILES,
    )
    async def files(self, call: Call[None, ListQuery]) -> Page[ImportFileView] | StreamedResponse:
        """Return a page, or everything as CSV."""
        async with self._db.read() as session:
            found = await _read(session, call.principal, call.int_path("id"))
        return await self._files(call, where=CertificateImportFile.import_id == found.id)


async def _read(session: AsyncSession, principal: Principal, import_id: int) -> ImportView:
    conditions = [CertificateImport.id == import_id]
    condition = import_scope(principal)
    if condition is not None:
        conditions.append(condition)
    row = (await session.execute(IMPORTS.statement(conditions))).mappings().one_or_none()
    if row is None:
        raise ImportNotFound
    return IMPORTS.to_row(row)


def _upload(call: Call[None, ImportQuery]) -> tuple[bytes, str, str]:
    """Return archive, its name if it came with one, and the password.

    Raises:
        UnsupportedMediaType: the body is something else.
        Malformed: the form holds no file.
    """
    content_type = call.headers.get("Content-Type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in _ZIP_TYPES:
        password = call.headers.get(PASSWORD_HEADER, "")
        return call.raw_body, "", _checked(password)
    if media_type != "multipart/form-data":
        raise UnsupportedMediaType("send the archive as application/zip, or in a form as its field 'file'")
    parts = parse_form(content_type, call.raw_body)
    if "file" not in parts:
        raise Malformed("the form holds no file", field="file")
    password = parts["password"].content.decode("utf-8", "replace") if "password" in parts else ""
    return parts["file"].content, parts["file"].filename, _checked(password)


def _checked(password: str) -> str:
    if len(password) > _MAX_PASSWORD:
        raise Malformed(f"a password has at most {_MAX_PASSWORD} characters", field="password")
    return password
