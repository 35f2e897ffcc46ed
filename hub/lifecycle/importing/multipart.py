"""A form with a file (RFC 7578), taken apart: what uploads of browsers and curl have, and no more."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import EmailMessage

from hub.db.errors import Malformed

_MAX_PARTS = 16
_MAX_HEADERS = 4096
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]\Z")


class FormUnreadable(Malformed):
    """The form can't be understood."""

    code = "form_unreadable"


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; ``filename`` is empty where the field holds text."""

    name: str
    filename: str
    content: bytes = field(repr=False)


def parse_form(content_type: str, body: bytes) -> dict[str, Part]:
    """Return the fields of a ``multipart/form-data`` body by name.

    Raises:
        FormUnreadable: it is none, or names a field twice.
    """
    delimiter = b"--" + _boundary(content_type)
    pieces = (b"\r\n" + body).split(b"\r\n" + delimiter, _MAX_PARTS + 2)
    if len(pieces) < 3 or len(pieces) > _MAX_PARTS + 2 or not pieces[-1].startswith(b"--"):
        raise FormUnreadable("the form is cut off, or has too many fields")
    parts: dict[str, Part] = {}
    for piece in pieces[1:-1]:
        part = _part(piece)
        if part.name in parts:
            raise FormUnreadable(f"the field {part.name!r} is there twice")
        parts[part.name] = part
    return parts


def _boundary(content_type: str) -> bytes:
    message = EmailMessage()
    message["Content-Type"] = content_type
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str) or not _BOUNDARY.match(boundary):
        raise FormUnreadable("the form names no boundary")
    return boundary.encode("ascii")


def _part(piece: bytes) -> Part:
    head, separator, content = piece.partition(b"\r\n\r\n")
    if not separator or len(head) > _MAX_HEADERS or not head.startswith(b"\r\n"):
        raise FormUnreadable("a field of the form has no headers")
    for line in head[2:].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-disposition":
            disposition = EmailMessage()
            disposition["Content-Disposition"] = value.decode("utf-8", "replace").strip()
            return Part(
                _parameter(disposition, "name"),
                _parameter(disposition, "filename"),
                content,
            )
    raise FormUnreadable("a field of the form has no name")


def _parameter(disposition: EmailMessage, name: str) -> str:
    value = disposition.get_param(name, "", header="content-disposition")
    return value if isinstance(value, str) else ""
