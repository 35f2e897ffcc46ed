"""Templates: text with ``${name}`` in it, and nothing that could be executed.

``$$`` is a dollar sign. A name that the type does not have is refused when the template is saved. A value
that is missing renders as nothing, and a line whose variables are all empty is left out, so that optional
facts need no conditions. What is filled in is never read again, so a value can't bring variables of its own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from hub.notifications.errors import TemplateInvalid

MAX_SUBJECT = 250
MAX_BODY = 20_000
_MAX_VALUE = 4_000
_PART = re.compile(r"\$\$|\$\{([^{}\n]*)\}|\$\{")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
# Line ends of every kind that a mail program, or Python's splitlines, knows.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_BLANK = re.compile(r"\s+")
_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


@dataclass(frozen=True, slots=True)
class Variable:
    """A place in a text where a value goes."""

    name: str


Parts = tuple[str | Variable, ...]


def parse(text: str, known: Collection[str], *, field: str) -> Parts:
    """Return the parts of a template's text.

    Raises:
        TemplateInvalid: it names an unknown variable, or has a ``${`` without an end.
    """
    parts: list[str | Variable] = []
    position = 0
    for match in _PART.finditer(text):
        parts.append(text[position : match.start()])
        position = match.end()
        if match[0] == "$$":
            parts.append("$")
        else:
            parts.append(_variable(match[1], known, field=field))
    parts.append(text[position:])
    return tuple(part for part in parts if part != "")


def _variable(name: str | None, known: Collection[str], *, field: str) -> Variable:
    if name is None or _NAME.fullmatch(name) is None:
        raise TemplateInvalid(
            "write variables as ${name} with lower case letters, digits and _; a dollar sign before a brace"
            " is $${",
            field=field,
        )
    if name not in known:
        names = ", ".join(sorted(known))
        raise TemplateInvalid(f"there is no variable ${{{name}}} here; known are {names}", field=field)
    return Variable(name)


def render_subject(text: str, values: Mapping[str, str]) -> str:
    """Return a subject: one line, whatever the values hold."""
    parts = _parts(text, "subject")
    filled = "".join(_filled(part, values) for part in parts)
    line = _BLANK.sub(" ", _CONTROL.sub(" ", filled)).strip()
    return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - 1] + "…"


def render_body(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its lines filled; those whose variables are all empty are left out."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        parts = _parts(line, "body")
        variables = [part for part in parts if isinstance(part, Variable)]
        if variables and not any(values.get(each.name) for each in variables):
            continue
        filled = "".join(_filled(part, values) for part in parts)
        lines.append(_CONTROL.sub("", filled.replace("\r\n", "\n").replace("\r", "\n")).rstrip())
    text = "\n".join(lines).strip("\n")
    return re.sub(r"\n{3,}", "\n\n", text) + "\n"


@lru_cache(maxsize=2048)
def _parts(text: str, field: str) -> Parts:
    # The same few templates are filled again and again. A name without a value renders as nothing.
    return parse(text, _named(text), field=field)


def _named(text: str) -> set[str]:
    return {match[1] for match in _PART.finditer(text) if match[1] is not None}


def _filled(part: str | Variable, values: Mapping[str, str]) -> str:
    return values.get(part.name, "")[:_MAX_VALUE] if isinstance(part, Variable) else part


def check(subject: str, body: str, known: Collection[str]) -> None:
    """Do nothing if a template may be saved.

    Raises:
        TemplateInvalid: with the field that is wrong.
    """
    if not subject.strip() or len(subject) > MAX_SUBJECT or _CONTROL.search(subject) or "\n" in subject:
        raise TemplateInvalid(f"a subject is one line of at most {MAX_SUBJECT} characters", field="subject")
    if not body.strip() or len(body) > MAX_BODY:
        raise TemplateInvalid(f"a body has 1 to {MAX_BODY} characters", field="body")
    parse(subject, known, field="subject")
    parse(body, known, field="body")


def to_html(text: str) -> str:
    """Return a plain text as a simple HTML page; only addresses become links."""
    paragraphs = "".join(f"<p>{_linked(block)}</p>\n" for block in text.strip("\n").split("\n\n") if block)
    return f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n{paragraphs}</body></html>\n'


def _linked(block: str) -> str:
    pieces = []
    position = 0
    for match in _LINK.finditer(block):
        address = html.escape(match[0], quote=True)
        pieces += [html.escape(block[position : match.start()]), f'<a href="{address}">{address}</a>']
        position = match.end()
    pieces.append(html.escape(block[position:]))
    return "".join(pieces).replace("\n", "<br>\n")
