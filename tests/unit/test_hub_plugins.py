"""Plug-ins are entry points; one that is broken takes nothing else away."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from hub import plugins

GROUP = "certwright.some_group"


def test_a_broken_plug_in_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    points = (
        EntryPoint("gone", "a_package_that_is_not_there:Thing", GROUP),
        EntryPoint("renamed", "json:NoSuchName", GROUP),
        EntryPoint("sound", "json:JSONDecoder", GROUP),
    )
    monkeypatch.setattr(plugins, "entry_points", lambda *, group: [p for p in points if p.group == group])
    assert [item.__name__ for item in plugins.load_plugins(GROUP)] == ["JSONDecoder"]
    assert plugins.load_plugins("certwright.another_group") == []
