"""Who is told, and addresses that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notifications.objects import ObjectFacts
from hub.notifications.people import People, Recipient, _Administrator, _Grant
from hub.notifications.rules import Recipients, Rule, RuleFields, addresses_in, is_address

SSL = frozenset({"ssl"})
NAMES = {1: "mona", 2: "rita", 3: "dora", 4: "carl", 5: "otto"}
PEOPLE = People(
    [
        _Administrator(number, frozenset({name}), f"{name}@example.com" if name != "carl" else "", "en")
        for number, name in NAMES.items()
    ],
    [
        _Grant(1, "MRAO", None, None, frozenset()),
        _Grant(2, "RAO", 10, None, SSL),
        _Grant(3, "DRAO", 10, 100, SSL),
        _Grant(4, "RAO", 10, None, frozenset({"client"})),
        _Grant(5, "RAO", 20, None, SSL),
        _Grant(99, "MRAO", None, None, frozenset()),
    ],
)


def facts(**changes):
    values = {
        "object_type": "certificate",
        "object_id": "7",
        "path": "",
        "values": {},
        "organization_id": 10,
        "department_id": 100,
        "certificate_type": "ssl",
    }
    return ObjectFacts(**(values | changes))


def told(recipients, **changes):
    found = PEOPLE.recipients(recipients, facts(**changes))
    return [NAMES.get(each.administrator_id, each.address) for each in found]


@pytest.mark.parametrize(
    ("wanted", "changes", "names"),
    [
        (Recipients(roles=("MRAO",)), {}, ["mona"]),
        (Recipients(roles=("RAO",)), {}, ["rita"]),
        (Recipients(roles=("RAO",)), {"certificate_type": "client"}, ["carl"]),
        (Recipients(roles=("RAO",)), {"certificate_type": None}, ["rita", "carl"]),
        (Recipients(roles=("RAO",)), {"organization_id": 20}, ["otto"]),
        (Recipients(roles=("RAO", "DRAO")), {"organization_id": None, "department_id": None}, []),
        (Recipients(roles=("DRAO",)), {}, ["dora"]),
        (Recipients(roles=("DRAO",)), {"department_id": 101}, []),
        (Recipients(roles=("DRAO",)), {"department_id": None}, []),
        (Recipients(roles=("DRAO",)), {"object_type": "agent", "department_id": None}, ["dora"]),
        (Recipients(owner=True), {}, ["dora"]),
        (Recipients(owner=True), {"department_id": 101}, ["rita"]),
        (Recipients(owner=True), {"department_id": None}, ["rita"]),
        (Recipients(requester=True), {"requester_id": 5}, ["otto"]),
        (Recipients(requester=True), {"requester_id": 98}, []),
        (Recipients(requester=True), {"requester": "a@b.example"}, ["a@b.example"]),
        (Recipients(requester=True), {"requester": "Rita"}, ["rita"]),
        (Recipients(requester=True), {"requester": "system"}, []),
        (
            Recipients(external_requesters=True),
            {"external_requesters": "x@a.example, nonsense;y@a.example"},
            ["x@a.example", "y@a.example"],
        ),
        (
            Recipients(roles=("RAO",), addresses=("RITA@example.com", "z@a.example")),
            {},
            ["rita", "z@a.example"],
        ),
    ],
)
def test_who_is_told(wanted, changes, names):
    assert told(wanted, **changes) == names


def test_somebody_without_an_address_is_told_in_the_console_only():
    assert PEOPLE.recipients(Recipients(roles=("RAO",)), facts(certificate_type="client")) == [
        Recipient(4, "", "en")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@example.com",
        "a@exa mple.com",
        "a@example.com\nBcc: x@example.com",
        "a@example.com,b@example.com",
        "<a@example.com>",
        '"a"@example.com',
        "a@b@c",
        "a@-x.example",
        "a..b@example.com",
    ],
)
def test_what_is_no_address(text):
    assert not is_address(text)


@given(st.text(max_size=80))
def test_addresses_hold_nothing_that_could_end_a_line_or_a_recipient(text):
    for address in addresses_in(text):
        assert address.count("@") == 1
        assert not set(address) & set(' \t\r\n,;<>"()[]\\\x00')


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, True),
        ({"organization_id": 10}, True),
        ({"organization_id": 20}, False),
        ({"organization_id": 10, "department_id": 100}, True),
        ({"organization_id": 10, "department_id": 101}, False),
        ({"certificate_types": ("client",)}, False),
        ({"profile_ids": (5, 6)}, True),
        ({"profile_ids": (6,)}, False),
    ],
)
def test_which_objects_a_rule_is_for(fields, fits):
    rule = Rule(
        id=1, fields=RuleFields(name="x", type="certificate_issued", recipients=Recipients(), **fields)
    )
    assert rule.matches(facts(profile_id=5)) is fits


def test_recipients_are_stored_and_read_back():
    wanted = Recipients(requester=True, roles=("RAO",), addresses=("a@example.com",))
    assert Recipients.of(wanted.document()) == wanted
