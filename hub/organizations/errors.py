"""What can be wrong with organizations, departments and domains."""

from __future__ import annotations

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


class DepartmentNotFound(NotFound):
    """There is no such department, or it is outside your scope."""

    code = "department_not_found"


class DepartmentNameTaken(Conflict):
    """The organization has a department of this name already."""

    code = "department_name_taken"


class DomainNotFound(NotFound):
    """There is no such domain, or it is outside your scope."""

    code = "domain_not_found"


class InvalidDomain(Malformed):
    """The text is not a domain that can be delegated."""

    code = "invalid_domain"


class DomainIsIpAddress(InvalidDomain):
    """An IP address is not a domain."""

    code = "domain_is_ip_address"


class DomainIsPublicSuffix(PolicyViolation):
    """A public suffix such as co.uk belongs to nobody and can't be delegated."""

    code = "domain_is_public_suffix"


class DomainAlreadyDelegated(Conflict):
    """The domain is delegated to this organization already."""

    code = "domain_already_delegated"


class DomainNeedsWholeSystem(Forbidden):
    """Only an administrator of the whole system may approve domains or delegate every name."""

    code = "domain_needs_whole_system"
