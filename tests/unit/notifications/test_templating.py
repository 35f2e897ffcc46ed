"""Templates: strict when they are saved, harmless when they are filled."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.notifications.catalog import TYPES
from hub.notifications.errors import TemplateInvalid
from hub.notifications.samples import sample
from hub.notifications.templating import (
    MAX_BODY,
    MAX_SUBJECT,
    check,
    parse,
    render_body,
    render_subject,
    to_html,
)
from hub.notifications.variables import OF_OBJECTS
from tests.simulators.hub_world import Clock

KNOWN = {"name", "names", "other"}
TEXTS = st.text(max_size=200)
ODD = st.text(alphabet="${}na me\\\r\n\u2028\u0085<>&\x00\x1b%", max_size=60)
VALUES = st.fixed_dictionaries({"name": TEXTS | ODD, "names": TEXTS | ODD})


def test_values_are_filled_in():
    assert render_subject("Hello ${name}, $$5", {"name": "Ada"}) == "Hello Ada, $5"
    assert render_body("Hello ${name}\n", {"name": "Ada"}) == "Hello Ada\n"


def test_a_line_without_any_value_is_left_out():
    text = "A: ${name}\nB: ${names}\n${other}\nC\nD: ${name} ${other}\n"
    assert render_body(text, {"name": "x"}) == "A: x\nC\nD: x\n"


def test_a_value_brings_no_variables_of_its_own():
    assert render_subject("${name}", {"name": "${names}", "names": "secret"}) == "${names}"


@pytest.mark.parametrize(
    "text", ["${nmae}", "${NAME}", "${name", "${}", "${name }", "${__class__}", "${name.x}", "${name!r}"]
)
def test_what_is_no_variable_is_refused(text):
    with pytest.raises(TemplateInvalid) as caught:
        check("Subject", f"x {text}", KNOWN)
    assert caught.value.field == "body"


def test_the_refusal_lists_what_there_is():
    with pytest.raises(TemplateInvalid, match="known are name, names, other"):
        check("${nope}", "text", KNOWN)


@pytest.mark.parametrize(
    "subject", ["", " ", "two\nlines", "two\r\nlines", "a\x85b", "a\u2028b", "x" * (MAX_SUBJECT + 1)]
)
def test_subjects_that_are_refused(subject):
    with pytest.raises(TemplateInvalid) as caught:
        check(subject, "text", KNOWN)
    assert caught.value.field == "subject"


def test_a_body_has_a_limit():
    with pytest.raises(TemplateInvalid):
        check("s", "x" * (MAX_BODY + 1), KNOWN)


@given(text=TEXTS | ODD)
def test_any_text_is_taken_or_refused(text):
    try:
        parts = parse(text, KNOWN, field="body")
    except TemplateInvalid:
        return
    literal = "".join(part if isinstance(part, str) else f"${{{part.name}}}" for part in parts)
    assert literal == text.replace("$$", "$")


@given(
    words=st.lists(st.sampled_from(["${name}", "${names}", "$$", "x", " ", ": "]), max_size=8), values=VALUES
)
def test_a_subject_is_one_header_whatever_the_values_hold(words, values):
    subject = render_subject("".join(words), values)
    assert len(subject) <= MAX_SUBJECT
    assert subject.splitlines() in ([subject], [])
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["To"] = "a@example.com"
    mail.set_content("text")
    try:
        content = mail.as_bytes()
    except UnicodeEncodeError:
        # Half of a surrogate pair: no database holds it.
        return
    parsed = message_from_bytes(content, policy=policy.default)
    assert set(parsed.keys()) == {
        "Subject",
        "To",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    }


@given(body=st.text(alphabet="ab \n", max_size=60), values=VALUES)
def test_a_body_holds_no_control_characters(body, values):
    text = render_body(body + "${name} and ${names}", values)
    assert not {character for character in text if ord(character) < 32} - {"\n", "\t"}
    assert text.endswith("\n")


@given(text=TEXTS | ODD)
def test_html_has_only_the_markup_that_is_ours(text):
    page = to_html(text + "\nhttps://hub.example.com/a?b=1&c=<script>")
    inside = page.partition("<body>")[2].rpartition("</body>")[0]
    for ours in ("<p>", "</p>", "<br>", "</a>"):
        inside = inside.replace(ours, "")
    assert inside.count("<") == inside.count("<a href=")


@pytest.mark.parametrize("kind", TYPES.values(), ids=lambda kind: kind.name)
def test_the_built_in_words_are_whole(kind):
    check(kind.subject, kind.body, kind.variables)
    facts = sample(kind, Clock()())
    values = {**facts.values, "id": "1", "url": "https://hub", "status": facts.status, "title": kind.title}
    filled = render_subject(kind.subject, values) + render_body(kind.body, values)
    assert "${" not in filled
    assert "None" not in filled


def test_samples_have_a_value_for_each_variable():
    for kind in TYPES.values():
        facts = sample(kind, Clock()())
        elsewhere = {"id", "status", "download_url", "self_service_url"}
        assert set(OF_OBJECTS[kind.object_type]) - elsewhere <= set(facts.values), kind.name
