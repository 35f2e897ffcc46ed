"""Imports the tables of every room, so that ``Base.metadata`` is whole for Alembic and for tests."""

from __future__ import annotations

import importlib

from sqlalchemy import MetaData

from hub.db.base import Base

ROOMS_WITH_TABLES = (
    "hub.db.outbox",
    "hub.access.models",
    "hub.access.signin.models",
    "hub.organizations.models",
    "hub.organizations.dcv.models",
    "hub.profiles.models",
    "hub.issuers.models",
    "hub.fleet.models",
    "hub.lifecycle.models",
    "hub.lifecycle.importing.models",
    "hub.renewals.models",
    "hub.lifecycle.figures.models",
    "hub.lifecycle.figures.triggers",
    "hub.lifecycle.searching.trigrams",
    "hub.discovery.models",
    "hub.notifications.models",
    "hub.renewals.planning.models",
)


def all_tables() -> MetaData:
    """Return the metadata with the tables of all rooms."""
    for module in ROOMS_WITH_TABLES:
        importlib.import_module(module)
    return Base.metadata
