"""Dataclasses and protobuf messages with the same field names: one function each way fits them all.

Text that is read loses its NUL characters: PostgreSQL can't store them.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from hub.fleet import commands
from hub.fleet.errors import StreamViolation


def clean_text(value: str) -> str:
    """Return ``value`` without NUL characters."""
    return value.replace("\x00", "") if "\x00" in value else value


def _time(value: Timestamp) -> datetime:
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as fault:
        raise StreamViolation("a time is outside the calendar") from fault


def fill(message: Message, value: Any) -> None:
    """Copy a dataclass into the protobuf message with the same field names."""
    for field in fields(value):
        item = getattr(value, field.name)
        if item is None:
            continue
        if isinstance(item, datetime):
            getattr(message, field.name).FromDatetime(item)
        elif is_dataclass(item):
            target = getattr(message, field.name)
            target.SetInParent()
            fill(target, item)
        elif isinstance(item, tuple):
            repeated = getattr(message, field.name)
            for element in item:
                if is_dataclass(element):
                    fill(repeated.add(), element)
                else:
                    repeated.append(element)
        else:
            setattr(message, field.name, item)


Reader = Callable[[Message, str], Any]


def _reader(annotation: Any) -> Reader:
    """Return how a field of this type is read."""
    if is_dataclass(annotation) and isinstance(annotation, type):
        return lambda message, name: read(annotation, getattr(message, name))
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is types.UnionType:
        inner = _reader(args[0])
        return lambda message, name: inner(message, name) if message.HasField(name) else None
    if origin is tuple:
        element = _element(args[0])
        return lambda message, name: tuple(element(item) for item in getattr(message, name))
    scalar = _SCALARS.get(annotation)
    return getattr if scalar is None else lambda message, name: scalar(getattr(message, name))


def _element(annotation: Any) -> Callable[[Any], Any]:
    if is_dataclass(annotation) and isinstance(annotation, type):
        return lambda item: read(annotation, item)
    return _SCALARS.get(annotation, lambda item: item)


_SCALARS: dict[Any, Callable[[Any], Any]] = {str: clean_text, datetime: _time}


@cache
def _plan(kind: type) -> tuple[tuple[str, Reader], ...]:
    hints = typing.get_type_hints(kind, vars(commands))
    return tuple((field.name, _reader(hints[field.name])) for field in fields(kind))


def read(kind: type, message: Message) -> Any:
    """Copy a protobuf message into the dataclass ``kind``.

    Raises:
        StreamViolation: a time is outside the calendar.
    """
    return kind(**{name: reader(message, name) for name, reader in _plan(kind)})
