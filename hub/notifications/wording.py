"""The built-in words: a subject and a text a type."""

from __future__ import annotations

from collections.abc import Mapping

_ABOUT_CERTIFICATE = """\
Certificate: ${common_name} (number ${id})
Names: ${names}
Organization: ${organization}
Department: ${department}
Profile: ${profile}
Requested by: ${requester}
External requesters: ${external_requesters}
"""
_ISSUED = """\
Serial number: ${serial}
Issuer: ${issuer}
Valid until: ${not_after}
"""
_WHERE = "\n${url}\n"
_WHY = """\
Reason: ${reason}
${message}
What to do: ${instruction}
"""


def _request(subject: str, sentence: str, more: str = "") -> tuple[str, str]:
    return subject, f"{sentence}\n\n{_ABOUT_CERTIFICATE}{more}{_WHERE}"


def _certificate(subject: str, sentence: str, more: str = "") -> tuple[str, str]:
    return subject, f"{sentence}\n\n{_ABOUT_CERTIFICATE}{_ISSUED}{more}{_WHERE}"


def _domain(subject: str, sentence: str, more: str = "") -> tuple[str, str]:
    facts = "Domain: ${name}\nOrganization: ${organization}\nDepartment: ${department}\n"
    return subject, f"{sentence}\n\n{facts}Requested by: ${{requested_by}}\n{more}{_WHERE}"


def _validation(subject: str, sentence: str, more: str = "") -> tuple[str, str]:
    facts = (
        "Domain: ${domain}\nOrganization: ${organization}\nMethod: ${method}\nCounts until: ${not_after}\n"
    )
    return subject, f"{sentence}\n\n{facts}{more}{_WHERE}"


def _agent(subject: str, sentence: str, more: str = "") -> tuple[str, str]:
    facts = "Agent: ${name} (${kind})\nHost: ${hostname}\nOrganization: ${organization}\n"
    return subject, f"{sentence}\n\n{facts}Last seen: ${{last_seen}}\n{more}{_WHERE}"


def _organization(subject: str, sentence: str, more: str = "") -> tuple[str, str]:
    return subject, f"{sentence}\n\nOrganization: ${{name}}\nValidation: ${{status}}\n{more}{_WHERE}"


def _administrator(subject: str, sentence: str) -> tuple[str, str]:
    facts = "Administrator: ${name} (${username})\nE-mail: ${email}\nCreated by: ${created_by}\n"
    return subject, f"{sentence}\n\n{facts}{_WHERE}"


WORDING: Mapping[str, tuple[str, str]] = {
    "certificate_requested": _request(
        "Requested: certificate for ${common_name}", "A certificate was requested.", "Comments: ${comments}\n"
    ),
    "certificate_awaiting_approval": _request(
        "Please decide: certificate for ${common_name}",
        "A request for a certificate waits for somebody to approve or decline it.",
        "Comments: ${comments}\n",
    ),
    "certificate_approved": _request(
        "Approved: certificate for ${common_name}",
        "The request was approved and goes to the CA.",
        "Approved by: ${approver}\nMessage: ${decision_message}\n",
    ),
    "certificate_declined": _request(
        "Declined: certificate for ${common_name}",
        "The request was declined. It can still be approved later.",
        "Declined by: ${approver}\nMessage: ${decision_message}\n",
    ),
    "certificate_refused": _request(
        "Refused: certificate for ${common_name}",
        "The certificate can't be issued. What has to be mended stands below; then request it again.",
        _WHY,
    ),
    "certificate_issued": _certificate(
        "Issued: certificate for ${common_name}",
        "The certificate was issued and is ready to be collected.",
        "\nCollect it here, in the format that your server needs:\n${download_url}\n"
        "Without an account, with the number above and the passphrase: ${self_service_url}\n",
    ),
    "certificate_downloaded": _certificate(
        "Downloaded: certificate for ${common_name}", "The certificate was downloaded."
    ),
    "certificate_expiring": _certificate(
        "Expires in ${days_left} days: certificate for ${common_name}",
        "The certificate expires in ${days_left} days and has not been renewed yet.",
        "State of its renewal: ${renewal_state}\n",
    ),
    "certificate_expired": _certificate(
        "Expired: certificate for ${common_name}",
        "The certificate has expired. Servers that still show it are refused by their clients.",
        "State of its renewal: ${renewal_state}\n",
    ),
    "certificate_revoked": _certificate(
        "Revoked: certificate for ${common_name}",
        "The certificate was revoked.",
        "Reason: ${revocation_reason}\nMessage: ${message}\n",
    ),
    "certificate_replaced": _certificate(
        "Replaced: certificate for ${common_name}", "The certificate was replaced by another one."
    ),
    "certificate_moved": _certificate(
        "Moved: certificate for ${common_name}",
        "The certificate now belongs to ${organization} ${department}.",
    ),
    "renewal_succeeded": _certificate(
        "Renewed: certificate for ${common_name}", "The certificate was renewed."
    ),
    "renewal_failed": _certificate(
        "Renewal failed: certificate for ${common_name}",
        "The certificate could not be renewed. It is valid for ${days_left} more days.",
        _WHY,
    ),
    "renewal_at_risk": _certificate(
        "Renewal at risk: certificate for ${common_name}",
        "If nothing changes, the certificate will not be renewed in time. It is valid for ${days_left} more"
        " days.",
        _WHY,
    ),
    "install_succeeded": _certificate(
        "Installed: certificate for ${common_name}", "The certificate was installed and is being served."
    ),
    "install_failed": _certificate(
        "Installation failed: certificate for ${common_name}",
        "The certificate could not be installed. What was there before is there still.",
        _WHY,
    ),
    "install_restart_needed": _certificate(
        "Restart needed: certificate for ${common_name}",
        "The certificate is on the server, which must be restarted before it shows it.",
        _WHY,
    ),
    "private_key_downloaded": _certificate(
        "Key downloaded: certificate for ${common_name}",
        "Somebody fetched the private key of the certificate. The audit log says who, and from where.",
    ),
    "discovery_summary": (
        "Discovery summary: ${name} ${started}",
        """\
Started: ${started}
Ended: ${ended}
Started by: ${started_by}
Agent: ${agent}
Completion status: ${status}
${message}

Targets scanned: ${targets_scanned}
TLS ports found: ${endpoints_found}
Certificates found: ${certificates_found}
New certificates: ${certificates_new}
Ports with another certificate than before: ${rotations}
Ports that no longer answer: ${disappeared}

${url}
""",
    ),
    "agent_enrolled": _agent("Enrolled: agent ${name}", "A new agent was enrolled."),
    "agent_offline": _agent(
        "Offline: agent ${name}",
        "The agent has not been heard of. What it should install, scan or renew waits for it.",
    ),
    "agent_back": _agent("Back: agent ${name}", "The agent is connected again."),
    "agent_certificate_expiring": _agent(
        "Identity expires in ${days_left} days: agent ${name}",
        "The agent's identity certificate ends on ${not_after}. It is renewed by itself while the agent is"
        " connected; see to it that it is.",
    ),
    "dcv_validated": _validation("Validated: ${domain}", "Control of the domain was shown."),
    "dcv_failed": _validation(
        "Validation failed: ${domain}", "Control of the domain could not be shown in time.", _WHY
    ),
    "dcv_expiring": _validation(
        "Validation expires in ${days_left} days: ${domain}",
        "Control of the domain has to be shown again; without it no certificates are issued for its names.",
    ),
    "dcv_expired": _validation(
        "Validation expired: ${domain}",
        "Control of the domain has to be shown again before certificates are issued for its names.",
    ),
    "domain_awaiting_approval": _domain(
        "Please decide: domain ${name}", "A domain waits for somebody to approve or reject it."
    ),
    "domain_approved": _domain(
        "Approved: domain ${name}", "The domain was approved.", "Message: ${decision_message}\n"
    ),
    "domain_rejected": _domain(
        "Rejected: domain ${name}", "The domain was rejected.", "Message: ${decision_message}\n"
    ),
    "organization_validated": _organization(
        "Validated: ${name}", "The organization was validated.", "Counts until: ${not_after}\n"
    ),
    "organization_validation_expiring": _organization(
        "Validation expires in ${days_left} days: ${name}",
        "The organization has to be validated again before ${not_after}.",
    ),
    "organization_validation_expired": _organization(
        "Validation expired: ${name}", "The organization has to be validated again."
    ),
    "administrator_created": _administrator(
        "Created: administrator ${username}", "An administrator was created."
    ),
    "administrator_password_reset": _administrator(
        "Password reset: administrator ${username}",
        "Somebody gave the administrator a new password, which ends all their sessions.",
    ),
    "ca_expiring": (
        "Expires in ${days_left} days: CA ${name}",
        """\
The certificate of a CA ends on ${not_after}. Certificates that it issues can't be valid for longer.

CA: ${name} (${status})
Backend: ${backend}

${url}
""",
    ),
    "ca_trial_ending": (
        "Trial ends on ${trial_until}: CA ${name}",
        """\
The trial of a private CA comes to its end. It takes no more orders then; what it issued stays valid.
Extend the trial, or leave trial mode, on the CA's page.

CA: ${name} (${status})
Backend: ${backend}

${url}
""",
    ),
    "import_finished": (
        "Import finished: ${name}",
        """\
The import of certificates has ended.

File: ${name}
Status: ${status}
Imported: ${imported}
Could not be read: ${failed}
${message}

${url}
""",
    ),
}
