"""The lists of imports and of their files."""

from __future__ import annotations

from sqlalchemy import ColumnElement

from hub.access.policy import scope
from hub.http.listing import Column, Listing
from hub.http.principal import Principal
from hub.lifecycle.importing.models import CertificateImport, CertificateImportFile
from hub.lifecycle.importing.recording import FileResult
from hub.lifecycle.importing.schemas import ImportFileView, ImportView
from hub.lifecycle.listing import DEPARTMENTS, ORGANIZATIONS
from hub.lifecycle.scoping import CERTIFICATE_TYPE

_ROW, _FILE = CertificateImport, CertificateImportFile

IMPORTS = Listing(
    ImportView,
    (
        Column("id", _ROW.id, "ID", kind="int", nullable=False),
        Column("filename", _ROW.filename, "File", nullable=False, searchable=True),
        Column(
            "state",
            _ROW.state,
            "State",
            kind="enum",
            nullable=False,
            choices=("Waiting", "Running", "Finished", "Failed"),
        ),
        Column("message", _ROW.message, "Message", nullable=False, sortable=False),
        Column("organization_id", _ROW.organization_id, "Organization ID", kind="int", nullable=False),
        Column("organization", ORGANIZATIONS.c.name, "Organization", searchable=True),
        Column("department_id", _ROW.department_id, "Department ID", kind="int"),
        Column("department", DEPARTMENTS.c.name, "Department"),
        Column("administrator", _ROW.administrator, "Administrator", nullable=False, searchable=True),
        Column("files", _ROW.files, "Files", kind="int", nullable=False),
        Column("files_done", _ROW.files_done, "Done", kind="int", nullable=False),
        Column("files_imported", _ROW.files_imported, "Imported", kind="int", nullable=False),
        Column("files_known", _ROW.files_known, "Already Known", kind="int", nullable=False),
        Column("files_failed", _ROW.files_failed, "Failed", kind="int", nullable=False),
        Column("certificates", _ROW.certificates, "New Certificates", kind="int", nullable=False),
        Column("created", _ROW.created_at, "Created", kind="time", nullable=False),
        Column("finished", _ROW.finished_at, "Finished", kind="time"),
    ),
    select_from=_ROW.__table__.outerjoin(ORGANIZATIONS, ORGANIZATIONS.c.id == _ROW.organization_id).outerjoin(
        DEPARTMENTS, DEPARTMENTS.c.id == _ROW.department_id
    ),
    id_column=_ROW.id,
    default_sort="-id",
    search_min_length=1,
)

FILES = Listing(
    ImportFileView,
    (
        Column("id", _FILE.id, "ID", kind="int", nullable=False),
        Column("name", _FILE.name, "File", nullable=False, sortable=False, searchable=True),
        Column(
            "result",
            _FILE.result,
            "Result",
            kind="enum",
            nullable=False,
            sortable=False,
            choices=tuple(item.value for item in FileResult),
        ),
        Column("reason", _FILE.reason, "Reason", nullable=False, sortable=False),
        Column("message", _FILE.message, "Message", nullable=False, sortable=False, filterable=False),
        Column(
            "certificate_ids",
            _FILE.certificate_ids,
            "Certificates",
            nullable=False,
            sortable=False,
            filterable=False,
        ),
    ),
    select_from=_FILE,
    id_column=_FILE.id,
    default_sort="id",
    search_min_length=1,
)


def import_scope(principal: Principal) -> ColumnElement[bool] | None:
    """Return the condition on the imports that somebody may see; None when they see all."""
    return scope(
        principal,
        _ROW.organization_id,
        _ROW.department_id,
        action="certificates.view",
        certificate_type=CERTIFICATE_TYPE,
    )
