"""CSV (RFC 4180) of list rows, safe to open in a spreadsheet.

A cell that starts with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return would be run as a formula by
spreadsheets; such text gets a leading apostrophe. Numbers are numbers and stay as they are.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import RowMapping

from hub.http.columns import Column, value_text

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_header(columns: Sequence[Column]) -> bytes:
    """Return the first line."""
    return _lines([[_safe(column.header) for column in columns]])


def csv_lines(columns: Sequence[Column], rows: Iterable[RowMapping]) -> bytes:
    """Return one line for each row."""
    return _lines([[_cell(row[column.name]) for column in columns] for row in rows])


def _lines(table: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(table)
    return out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, dict | list):
        return _safe(json.dumps(value, ensure_ascii=False))
    return _safe(value_text(value))


def _safe(text: str) -> str:
    # Spreadsheets skip leading blanks before they look for a formula.
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
