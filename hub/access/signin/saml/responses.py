"""Checking a SAML response (saml-profiles 4.1.4.3) and reading who signed in from its signed part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from cryptography import x509

from hub.access.signin.errors import SamlRefused
from hub.access.signin.saml.signatures import signed_element
from hub.access.signin.saml.xml import DS, SAML, SAMLP, Element, child, children, everywhere, name, text_of

SKEW = timedelta(seconds=60)
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_MAX_VALUES = 1000
_KNOWN_CONDITIONS = frozenset(
    {name(SAML, "AudienceRestriction"), name(SAML, "OneTimeUse"), name(SAML, "ProxyRestriction")}
)

Signed = Literal["assertion", "response", "either"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a response is held against. ``signed`` says which element must carry the signature."""

    issuer: str
    certificates: Sequence[x509.Certificate] = field(repr=False)
    audience: str
    recipient: str
    request_id: str
    now: datetime
    signed: Signed = "either"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """Who signed in. All of it was signed by the identity provider."""

    id: str
    subject: str
    name_id_format: str
    attributes: Mapping[str, tuple[str, ...]]
    expires_at: datetime


def request_id_of(root: Element) -> str:
    """Return which request a response says it answers. Nothing is verified yet.

    Raises:
        SamlRefused: it is no response, or answers none: sign-in begins here, never at the provider.
    """
    if root.tag != name(SAMLP, "Response"):
        raise SamlRefused("NotAResponse", "the message is no SAML response")
    request_id = root.get("InResponseTo") or ""
    if not request_id:
        raise SamlRefused("Unsolicited", "the response answers no request; start signing in at this hub")
    return request_id


def read_response(root: Element, expected: Expected) -> Assertion:
    """Return the assertion of a response that passes all checks.

    Raises:
        SamlRefused: the reason says which one it does not.
    """
    _check_envelope(root, expected)
    assertion = _signed_assertion(root, expected)
    _check_issuer(assertion, expected.issuer)
    expires_at = min(_check_conditions(assertion, expected), _check_subject(assertion, expected))
    _check_statement(assertion, expected.now)
    subject = child(assertion, SAML, "Subject")
    name_id = None if subject is None else child(subject, SAML, "NameID")
    identifier = assertion.get("ID") or ""
    if not identifier:
        raise SamlRefused("NoId", "the assertion has no ID")
    return Assertion(
        id=identifier,
        subject=text_of(name_id),
        name_id_format="" if name_id is None else name_id.get("Format") or "",
        attributes=_attributes(assertion),
        expires_at=expires_at,
    )


def _check_envelope(root: Element, expected: Expected) -> None:
    if request_id_of(root) != expected.request_id:
        raise SamlRefused("WrongRequest", "the response answers another request")
    if root.get("Version") != "2.0":
        raise SamlRefused("WrongVersion", "the response is not SAML 2.0")
    if root.get("Destination") not in {None, expected.recipient}:
        raise SamlRefused("WrongDestination", "the response is meant for another address")
    if child(root, SAML, "Issuer") is not None:
        _check_issuer(root, expected.issuer)
    _check_status(root)
    if next(everywhere(root, SAML, "EncryptedAssertion"), None) is not None:
        raise SamlRefused(
            "EncryptedAssertion",
            "encrypted assertions are not supported; turn encryption off at the provider",
        )
    for local in ("EncryptedID", "EncryptedAttribute"):
        if next(everywhere(root, SAML, local), None) is not None:
            raise SamlRefused("EncryptedAssertion", f"{local} is not supported; turn encryption off")


def _check_status(root: Element) -> None:
    status = child(root, SAMLP, "Status")
    code = None if status is None else child(status, SAMLP, "StatusCode")
    if code is None or code.get("Value") != SUCCESS:
        parts = [item.get("Value") or "" for item in root.iter(name(SAMLP, "StatusCode"))]
        words = " ".join(part.rpartition(":")[2] for part in parts)[:200]
        raise SamlRefused("RefusedByProvider", f"the identity provider answered {words or 'nothing'}")


def _signed_assertion(root: Element, expected: Expected) -> Element:
    """Return the one assertion, out of the bytes that the provider signed."""
    identifiers = [item for element in root.iter() if (item := element.get("ID")) is not None]
    if len(identifiers) != len(set(identifiers)):
        raise SamlRefused("RepeatedId", "two elements have the same ID")
    if len(list(everywhere(root, SAML, "Assertion"))) != 1 or len(children(root, SAML, "Assertion")) != 1:
        raise SamlRefused("AssertionCount", "the response has to hold exactly one assertion, at its top")
    if len(list(everywhere(root, SAMLP, "Response"))) != 1:
        raise SamlRefused("ResponseCount", "the response holds another one")
    inner = children(root, SAML, "Assertion")[0]
    on_response = child(root, DS, "Signature") is not None
    on_assertion = child(inner, DS, "Signature") is not None
    if len(list(everywhere(root, DS, "Signature"))) != on_response + on_assertion:
        raise SamlRefused("SignatureMisplaced", "there is a signature where none belongs")
    wanted = expected.signed
    if wanted == "either":
        wanted = "response" if on_response else "assertion"
    if wanted == "response":
        response = signed_element(root, "./", expected.certificates)
        found = children(response, SAML, "Assertion")
        if len(found) != 1:
            raise SamlRefused("AssertionCount", "what was signed holds no single assertion")
        return found[0]
    return signed_element(root, f"./{name(SAML, 'Assertion')}/", expected.certificates)


def _check_issuer(element: Element, issuer: str) -> None:
    if text_of(child(element, SAML, "Issuer")) != issuer:
        raise SamlRefused("WrongIssuer", "the response is of another identity provider")


def _check_conditions(assertion: Element, expected: Expected) -> datetime:
    if assertion.get("Version") != "2.0":
        raise SamlRefused("WrongVersion", "the assertion is not SAML 2.0")
    conditions = child(assertion, SAML, "Conditions")
    if conditions is None:
        raise SamlRefused("NoConditions", "the assertion has no conditions")
    if any(item.tag not in _KNOWN_CONDITIONS for item in conditions):
        raise SamlRefused("UnknownCondition", "the assertion has a condition that is not understood")
    _check_not_before(conditions, expected.now)
    restrictions = children(conditions, SAML, "AudienceRestriction")
    if not restrictions:
        raise SamlRefused("NoAudience", "the assertion does not say whom it is for")
    for restriction in restrictions:
        if expected.audience not in {text_of(item) for item in children(restriction, SAML, "Audience")}:
            raise SamlRefused("WrongAudience", f"the assertion is not for {expected.audience}")
    return _check_not_after(conditions, "NotOnOrAfter", expected.now)


def _check_subject(assertion: Element, expected: Expected) -> datetime:
    subject = child(assertion, SAML, "Subject")
    confirmations = [] if subject is None else children(subject, SAML, "SubjectConfirmation")
    data = [
        found
        for item in confirmations
        if item.get("Method") == BEARER
        and (found := child(item, SAML, "SubjectConfirmationData")) is not None
    ]
    if len(data) != 1:
        raise SamlRefused("NoConfirmation", "the assertion has no single bearer confirmation")
    if data[0].get("Recipient") != expected.recipient:
        raise SamlRefused("WrongRecipient", "the assertion is meant for another address")
    if data[0].get("InResponseTo") != expected.request_id:
        raise SamlRefused("WrongRequest", "the assertion answers another request")
    if data[0].get("NotOnOrAfter") is None or data[0].get("NotBefore") is not None:
        raise SamlRefused("NoConfirmation", "the bearer confirmation has to end, and must not begin later")
    return _check_not_after(data[0], "NotOnOrAfter", expected.now)


def _check_statement(assertion: Element, now: datetime) -> None:
    statements = children(assertion, SAML, "AuthnStatement")
    if not statements:
        raise SamlRefused("NoAuthentication", "the assertion does not say that anybody signed in")
    for statement in statements:
        _check_not_after(statement, "SessionNotOnOrAfter", now)


def _check_not_before(element: Element, now: datetime) -> None:
    text = element.get("NotBefore")
    if text is not None and now + SKEW < parse_time(text):
        raise SamlRefused("NotYetValid", "the assertion is not valid yet; compare the clocks")


def _check_not_after(element: Element, attribute: str, now: datetime) -> datetime:
    text = element.get(attribute)
    if text is None:
        return now + timedelta(days=1)
    until = parse_time(text)
    if now - SKEW >= until:
        raise SamlRefused("Expired", "the assertion has expired; compare the clocks")
    return until


def _attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for statement in children(assertion, SAML, "AttributeStatement"):
        for attribute in children(statement, SAML, "Attribute"):
            values = tuple(text_of(item) for item in children(attribute, SAML, "AttributeValue"))
            for key in {attribute.get("Name"), attribute.get("FriendlyName")} - {None, ""}:
                found[str(key)] = (found.get(str(key), ()) + values)[:_MAX_VALUES]
    return found


def parse_time(text: str) -> datetime:
    """Read an ``xs:dateTime``; without a zone it is UTC, as SAML has it.

    Raises:
        SamlRefused: it is no time.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise SamlRefused("BadTime", "the assertion holds a time that is none") from None
    return parsed.astimezone(UTC) if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
