"""The actions that routes name, and what each takes: one table.

``roles`` may do it within their organization or department; ``types`` are the certificate types of which the
role must be (an RAO of client certificates does not run network discovery); ``privilege`` must be held too.
A new route names an action of this table, or adds a row here; ``docs/access.md`` is made from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.access import privileges
from hub.http.principal import Role

CERTIFICATE_TYPES: frozenset[str] = frozenset({"ssl", "client", "code_signing", "device"})

_MRAO = frozenset({Role.MRAO})
_RAO = frozenset({Role.MRAO, Role.RAO})
_ALL = frozenset(Role)
_SSL = frozenset({"ssl"})
_SERVERS = frozenset({"ssl", "device"})


@dataclass(frozen=True, slots=True)
class Rule:
    """What an action takes."""

    summary: str
    roles: frozenset[Role] = _ALL
    types: frozenset[str] = CERTIFICATE_TYPES
    privilege: str | None = None


ACTIONS: dict[str, Rule] = {
    # Oneself
    "session.view": Rule("See who is signed in"),
    "session.edit": Rule("Sign out, change the own password and means of signing in"),
    "account.view": Rule("See the own profile and activity"),
    "account.edit": Rule("Change the own profile"),
    "api_tokens.view": Rule("See the own API tokens"),
    "api_tokens.edit": Rule("Make and revoke own API tokens"),
    # Operations
    "events.view": Rule("Follow events of what one may see"),
    "metrics.view": Rule("Read metrics", _MRAO),
    "settings.view": Rule("See general settings"),
    "settings.edit": Rule("Change general settings", _MRAO),
    # Access
    "administrators.view": Rule("See administrators within the own rights"),
    "administrators.create": Rule("Create administrators within the own rights"),
    "administrators.edit": Rule("Change and deactivate administrators within the own rights"),
    "administrators.delete": Rule("Delete administrators within the own rights"),
    "sessions.view": Rule("See everybody's sessions", _MRAO),
    "sessions.revoke": Rule("End everybody's sessions", _MRAO),
    "sign_in.view": Rule("See the sign-in policy and client certificates of administrators", _MRAO),
    "sign_in.edit": Rule("Set the sign-in policy, bind client certificates, reset second factors", _MRAO),
    "access_rules.view": Rule("See the access rules", _MRAO),
    "access_rules.edit": Rule("Change the access rules", _MRAO),
    "identity_providers.view": Rule("See identity providers", _MRAO),
    "identity_providers.edit": Rule("Set up identity providers", _MRAO),
    "audit.view": Rule("Read and export the audit log", _RAO),
    "audit.verify": Rule("Export signed checkpoints of the audit log", _MRAO),
    # Organizations
    "organizations.view": Rule("See organizations"),
    "organizations.create": Rule("Create organizations", _MRAO, privilege=privileges.MANAGE_ORGANIZATIONS),
    "organizations.edit": Rule("Change organizations", _RAO, _SSL, privileges.MANAGE_ORGANIZATIONS),
    "departments.view": Rule("See departments"),
    "organizations.validate": Rule(
        "Set the validation of organizations", _MRAO, privilege=privileges.MANAGE_ORGANIZATIONS
    ),
    "organization_settings.view": Rule("See settings for types of certificate"),
    "organization_settings.edit": Rule(
        "Change settings for types of certificate", _RAO, privilege=privileges.MANAGE_ORGANIZATIONS
    ),
    "departments.edit": Rule("Change departments", types=_SSL),
    "departments.create": Rule("Create departments", _RAO, _SSL, privileges.MANAGE_ORGANIZATIONS),
    "domains.view": Rule("See domains"),
    "domains.request": Rule("Ask for domains"),
    "domains.edit": Rule("Switch, narrow and remove domains", _RAO, _SSL, privileges.MANAGE_ORGANIZATIONS),
    "domains.approve": Rule("Approve and reject domains", _RAO, privilege=privileges.APPROVE_DOMAINS),
    # Domain control validation
    "dcv.view": Rule("See the validation of domains"),
    "dcv.edit": Rule("Start, check and cancel the validation of domains", privilege=privileges.DCV),
    "dcv.view_writers": Rule("See DNS writers"),
    "dcv.edit_writers": Rule("Configure DNS writers", _MRAO, privilege=privileges.DCV),
    "persons.view": Rule("See persons"),
    "persons.edit": Rule("Create, change and delete persons"),
    "custom_fields.view": Rule("See custom fields"),
    "custom_fields.edit": Rule("Define custom fields", _MRAO),
    # Profiles and CAs
    "profiles.view": Rule("See certificate profiles"),
    "profiles.edit": Rule("Change certificate profiles", _MRAO, privilege=privileges.EDIT_PROFILES),
    "compromised_keys.view": Rule("See compromised keys", _MRAO),
    "compromised_keys.edit": Rule("Change compromised keys", _MRAO, privilege=privileges.EDIT_PROFILES),
    "ca_backends.view": Rule("See CA backends"),
    "ca_backends.edit": Rule("Create and test CA backends", _MRAO),
    "private_cas.view": Rule("See private CAs, download their certificates, read the key ceremony log"),
    "private_cas.edit": Rule(
        "Make, sign and roll over private CAs, import offline ones, change trials", _MRAO
    ),
    # Fleet
    "agents.view": Rule("See agents and their servers"),
    "agents.edit": Rule("Rename agents", _RAO, privilege=privileges.MANAGE_AGENTS),
    "agents.enroll": Rule("Make and withdraw enrollment tokens", _RAO, privilege=privileges.MANAGE_AGENTS),
    "agents.remove": Rule("Remove agents", _RAO, privilege=privileges.MANAGE_AGENTS),
    "commands.view": Rule("See commands to agents", _RAO, _SERVERS),
    "commands.edit": Rule("Cancel, repeat and give commands", _RAO, _SERVERS, privileges.MANAGE_AGENTS),
    # Certificates
    "certificates.view": Rule("See and download certificates"),
    "certificates.request": Rule("Request certificates"),
    "certificates.approve": Rule("Approve requests"),
    "certificates.decline": Rule("Decline requests"),
    "certificates.revoke": Rule("Revoke certificates"),
    "certificates.renew": Rule("Renew certificates"),
    "certificates.install": Rule("Install certificates"),
    "certificates.download_key": Rule(
        "Download private keys that agents keep", privilege=privileges.DOWNLOAD_KEYS
    ),
    "certificates.upload_key": Rule("Hand private keys to agents that keep them"),
    "certificates.delete_key": Rule(
        "Remove private keys from agents that keep them", privilege=privileges.DOWNLOAD_KEYS
    ),
    "certificates.edit": Rule("Annotate, assign and move certificates"),
    "certificates.edit_request": Rule(
        "Change requests before their approval", privilege=privileges.EDIT_REQUESTS
    ),
    "certificates.replace": Rule("Replace certificates"),
    "certificates.delete": Rule("Delete certificates that were found"),
    "certificates.import": Rule("Import certificates from files"),
    # Renewals
    "renewals.view": Rule("See freezes, maintenance windows and quotas of CAs"),
    "renewals.plan": Rule("Set up freezes and maintenance windows", _RAO, _SSL),
    "renewals.edit_quotas": Rule("Set up quotas of CAs", _MRAO),
    # Notifications
    "notices.view": Rule("See one's own notices"),
    "notices.edit": Rule("Mark one's own notices as read, take them off the list"),
    "notifications.view": Rule("See notification rules, templates and what was sent"),
    "notifications.edit": Rule("Change notification rules"),
    "notifications.resend": Rule("Send notifications again"),
    "notification_templates.edit": Rule("Change notification templates", _RAO),
    "notification_channels.view": Rule("See notification channels"),
    "notification_channels.edit": Rule("Configure notification channels", _RAO),
    # Discovery
    "discovery.view": Rule("See discovery tasks, scans and endpoints", _ALL, _SSL),
    "discovery.edit": Rule("Set up discovery tasks", _RAO, _SSL, privileges.DISCOVERY),
    "discovery.run": Rule("Start and cancel scans", _RAO, _SSL, privileges.DISCOVERY),
}
"""Action -> what it takes. An action that is not here is refused to everybody."""
