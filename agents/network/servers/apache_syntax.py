"""Parser for the configuration that Apache prints with `-t -D DUMP_CONFIG`.

The server has already resolved includes, macros, defines and conditional sections, and writes before each
directive where it came from (`# In file:` and `#  12:`). So this parser needs only the two forms that are
left, sections and directives with quoted arguments; whatever else appears is an error, not a guess.
https://httpd.apache.org/docs/2.4/mod/mod_info.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from agents.network.servers.errors import ConfigurationUnreadableError

_IN_FILE = "# In file: "
_LINE_NUMBER = re.compile(r"#\s*(\d+):$")
_WORD = re.compile(r"""\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\S+))""")


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive with its arguments unquoted, and where the server read it."""

    name: str
    arguments: tuple[str, ...]
    source: str


@dataclass(slots=True)
class Section:
    """`<Name arguments>` and what stands in it; the outermost one has no name."""

    name: str = ""
    arguments: tuple[str, ...] = ()
    source: str = ""
    directives: list[Directive] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    def all(self, name: str) -> list[Directive]:
        """Every directive of that name directly in this section, in order."""
        return [directive for directive in self.directives if directive.name == name.lower()]

    def last(self, name: str) -> str | None:
        """First argument of the last directive of that name, which is the one that counts."""
        found = self.all(name)
        return found[-1].arguments[0] if found and found[-1].arguments else None


def parse(text: str) -> Section:
    """The configuration as a tree; raises ConfigurationUnreadableError when sections don't nest."""
    outermost = Section()
    open_sections = [outermost]
    file, line = "", "0"
    for raw in text.splitlines():
        stripped = raw.strip()
        if stripped.startswith(_IN_FILE):
            file = stripped.removeprefix(_IN_FILE)
        elif number := _LINE_NUMBER.match(stripped):
            line = number[1]
        elif stripped.startswith("</"):
            _close(open_sections, stripped)
        elif stripped.startswith("<"):
            _open(open_sections, stripped, f"{file}:{line}")
        elif stripped:
            name, _, rest = stripped.partition(" ")
            open_sections[-1].directives.append(Directive(name.lower(), words(rest), f"{file}:{line}"))
    if len(open_sections) > 1:
        raise ConfigurationUnreadableError(f"section <{open_sections[-1].name}> is not closed")
    return outermost


def words(text: str) -> tuple[str, ...]:
    """Split arguments as Apache does: blanks separate, quotes group, a backslash keeps the next character."""
    found = []
    for double, single, plain in _WORD.findall(text):
        found.append(plain or re.sub(r"\\(.)", r"\1", double or single))
    return tuple(found)


def _open(open_sections: list[Section], line: str, source: str) -> None:
    if not line.endswith(">"):
        raise ConfigurationUnreadableError(f"{source}: {line[:80]} is not a section")
    name, _, rest = line[1:-1].partition(" ")
    section = Section(name.lower(), words(rest), source)
    open_sections[-1].sections.append(section)
    open_sections.append(section)


def _close(open_sections: list[Section], line: str) -> None:
    section = open_sections.pop()
    if not open_sections or line[2:-1].strip().lower() != section.name:
        raise ConfigurationUnreadableError(f"{line[:80]} closes <{section.name}>")
