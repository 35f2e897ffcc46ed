"""What can be wrong with organizations, departments, domains, persons and custom fields."""

from __future__ import annotations

from dataclasses import dataclass

from hub.db.errors import Conflict, Forbidden, Malformed, NotFound, PolicyViolation


class OrganizationNotFound(NotFound):
    """There is no such organization, or it is outside your scope."""

    code = "organization_not_found"


class OrganizationNameTaken(Conflict):
    """An organization of this name exists already."""

    code = "organization_name_taken"


class InvalidOrganization(Malformed):
    """A field of the organization can't be put into a certificate's subject."""

    code = "invalid_organization"


class KeyRecoveryFixed(Conflict):
    """Key recovery is decided when an organization or department is created and can't be changed."""

    code = "key_recovery_fixed"


class InvalidValidation(Malformed):
    """The dates of the validation can't be."""

    code = "invalid_validation"


class InvalidSettings(Malformed):
    """A setting for a type of certificate can't be."""

    code = "invalid_settings"


class DepartmentNotFound(NotFound):
    """There is no such department, or it is outside your scope."""

    code = "department_not_found"


class DepartmentNameTaken(Conflict):
    """The organization has a department of this name already."""

    code = "department_name_taken"


class DepartmentNeeded(Forbidden):
    """You act for departments: name one of yours."""

    code = "department_needed"


class CertificateTypeNotYours(Forbidden):
    """Your roles don't cover this type of certificate."""

    code = "certificate_type_not_yours"


class StateNotAllowed(Conflict):
    """The object is not in a state that allows this."""

    code = "state_not_allowed"

    def __init__(self, *, what: str, state: str, event: str) -> None:
        super().__init__(f"{what} that is {state.replace('_', ' ')} can't {event.replace('_', ' ')}")
        self.state = state
        self.event = event


class DomainNotFound(NotFound):
    """There is no such domain, or it is outside your scope."""

    code = "domain_not_found"


class InvalidDomain(Malformed):
    """The text is not a domain that can be delegated."""

    code = "invalid_domain"


class DomainIsIpAddress(InvalidDomain):
    """An IP address is not a domain."""

    code = "domain_is_ip_address"


class DomainMixesScripts(InvalidDomain):
    """A label is written in letters of several scripts, as look-alike names are."""

    code = "domain_mixes_scripts"


class DomainLooksLikeAnother(InvalidDomain):
    """A label is written in letters that look like Latin ones but are not."""

    code = "domain_looks_like_another"


class DomainIsPublicSuffix(PolicyViolation):
    """A public suffix such as co.uk belongs to nobody and can't be delegated."""

    code = "domain_is_public_suffix"


class DomainAlreadyDelegated(Conflict):
    """The domain is delegated to this organization or department already."""

    code = "domain_already_delegated"


class DomainNeedsWholeSystem(Forbidden):
    """Only an administrator of the whole system may do this with the domain."""

    code = "domain_needs_whole_system"


class PersonNotFound(NotFound):
    """There is no such person, or they are outside your scope."""

    code = "person_not_found"


class PersonEmailTaken(Conflict):
    """The organization has a person of this e-mail address already."""

    code = "person_email_taken"


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One fault of an input: the field it is about, a stable word, and a sentence for people."""

    field: str
    reason: str
    message: str


class InvalidPerson(Malformed):
    """Fields of a person break rules; ``findings`` lists all of them."""

    code = "invalid_person"

    def __init__(self, findings: tuple[FieldFault, ...]) -> None:
        super().__init__("; ".join(item.message for item in findings), field=findings[0].field)
        self.findings = findings


class CustomFieldNotFound(NotFound):
    """There is no such custom field."""

    code = "custom_field_not_found"


class CustomFieldNameTaken(Conflict):
    """This type of certificate has a custom field of this name already."""

    code = "custom_field_name_taken"


class InvalidCustomField(Malformed):
    """The custom field can't be defined like this."""

    code = "invalid_custom_field"


class CustomFieldFixed(Conflict):
    """Type and kind of a custom field can't be changed: there may be values."""

    code = "custom_field_fixed"
