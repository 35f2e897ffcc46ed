"""Access rules, the sign-in policy, client certificates of administrators, and resetting lost factors."""

from __future__ import annotations

from cryptography import x509

from hub.access.models import Administrator
from hub.access.service import AccessService
from hub.access.signin import access_rules
from hub.access.signin.client_certificates import NewBinding
from hub.access.signin.models import ClientCertificateBinding
from hub.access.signin.schemas import (
    AccessRuleSchema,
    AccessRulesSchema,
    CertificateBindingIn,
    CertificateBindingRow,
    CreatedId,
    SignInPolicySchema,
)
from hub.access.signin.sign_in_policy import require_second_factor, second_factor_roles
from hub.db.errors import Malformed
from hub.http.calls import Call
from hub.http.listing import Column, ListEndpoint, Listing, ListQuery, Page
from hub.http.routing import RouteSet, StreamedResponse, delete, get, post, put

BINDINGS = Listing(
    CertificateBindingRow,
    (
        Column("id", ClientCertificateBinding.id, "ID", kind="int", nullable=False),
        Column(
            "administrator_id",
            ClientCertificateBinding.administrator_id,
            "Administrator",
            kind="int",
            nullable=False,
        ),
        Column("username", Administrator.username, "User name", nullable=False, searchable=True),
        Column("sha256", ClientCertificateBinding.sha256, "SHA-256", sortable=False),
        Column("issuer", ClientCertificateBinding.issuer, "Issuer", nullable=False, sortable=False),
        Column("subject", ClientCertificateBinding.subject, "Subject", nullable=False, searchable=True),
        Column("not_after", ClientCertificateBinding.not_after, "Expires", kind="time"),
        Column("created_at", ClientCertificateBinding.created_at, "Bound", kind="time", nullable=False),
        Column("last_used_at", ClientCertificateBinding.last_used_at, "Last used", kind="time"),
        Column("revoked_at", ClientCertificateBinding.revoked_at, "Revoked", kind="time"),
    ),
    select_from=ClientCertificateBinding.__table__.join(
        Administrator.__table__, Administrator.id == ClientCertificateBinding.administrator_id
    ),
    id_column=ClientCertificateBinding.id,
    default_sort="-id",
    search_min_length=1,
)


class AccessRuleRoutes(RouteSet):
    """Networks from which administrators may come."""

    prefix = "/access-rules"
    tag = "access rules"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._rules = access.signin.rules

    @get("", action="access_rules.view", summary="Read the access rules", returns=AccessRulesSchema)
    async def show(self, _call: Call[None, None]) -> AccessRulesSchema:
        """Return all rules."""
        async with self._db.read() as session:
            rules = await access_rules.load(session)
        return AccessRulesSchema(rules=[AccessRuleSchema.of(rule) for rule in rules])

    @put("", action="access_rules.edit", summary="Replace the access rules", body=AccessRulesSchema)
    async def replace(self, call: Call[AccessRulesSchema, None]) -> None:
        """Set all rules; refused if the caller's own address could not come in any more."""
        rules = [item.to_rule() for item in call.body.rules]
        async with self._db.write() as uow:
            await self._rules.replace(uow, rules, principal=call.principal, address=call.remote)


class SignInPolicyRoutes(RouteSet):
    """Which roles need a second factor."""

    prefix = "/sign-in-policy"
    tag = "sign-in policy"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db

    @get("", action="sign_in.view", summary="Read the sign-in policy", returns=SignInPolicySchema)
    async def show(self, _call: Call[None, None]) -> SignInPolicySchema:
        """Return the policy."""
        async with self._db.read() as session:
            roles = await second_factor_roles(session)
        return SignInPolicySchema(second_factor_roles=sorted(roles))

    @put("", action="sign_in.edit", summary="Set the sign-in policy", body=SignInPolicySchema)
    async def replace(self, call: Call[SignInPolicySchema, None]) -> None:
        """Set the policy."""
        async with self._db.write() as uow:
            await require_second_factor(uow, set(call.body.second_factor_roles), principal=call.principal)


class CertificateBindingRoutes(RouteSet):
    """Client certificates with which administrators sign in."""

    prefix = "/sign-in-certificates"
    tag = "sign-in certificates"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._certificates = access.signin.certificates
        self._listing = ListEndpoint(access.db, BINDINGS)

    @get(
        "",
        action="sign_in.view",
        summary="List client certificates of administrators",
        query=ListQuery,
        returns=Page[CertificateBindingRow],
        listing=BINDINGS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[CertificateBindingRow] | StreamedResponse:
        """List all bindings."""
        return await self._listing(call)

    @post(
        "",
        action="sign_in.edit",
        summary="Bind a client certificate to an administrator",
        body=CertificateBindingIn,
        returns=CreatedId,
        status=201,
    )
    async def bind(self, call: Call[CertificateBindingIn, None]) -> CreatedId:
        """Bind a certificate, or an issuer and subject."""
        binding = NewBinding(
            administrator_id=call.body.administrator_id,
            certificate=_certificate(call.body.certificate_pem),
            issuer=call.body.issuer,
            subject=call.body.subject,
        )
        async with self._db.write() as uow:
            return CreatedId(id=await self._certificates.bind(uow, binding, principal=call.principal))

    @delete("/{id:int}", action="sign_in.edit", summary="Revoke a client certificate's binding")
    async def revoke(self, call: Call[None, None]) -> None:
        """End a binding for good."""
        async with self._db.write() as uow:
            await self._certificates.revoke(uow, call.int_path("id"), principal=call.principal)


class FactorResetRoutes(RouteSet):
    """For administrators who have lost their second factor."""

    prefix = "/administrators"
    tag = "administrators"

    def __init__(self, access: AccessService) -> None:
        self._db = access.db
        self._factors = access.signin.factors

    @delete("/{id:int}/factors", action="sign_in.edit", summary="Remove somebody's second factors")
    async def reset(self, call: Call[None, None]) -> None:
        """Remove app, passkeys and recovery codes."""
        async with self._db.write() as uow:
            await self._factors.reset(uow, call.int_path("id"), principal=call.principal)


def _certificate(pem: str) -> x509.Certificate | None:
    if not pem.strip():
        return None
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise Malformed("that is no certificate in PEM", field="certificate_pem") from error
