"""E-mail to the domain's own addresses: Baseline Requirements 3.2.2.4.4 and 3.2.2.4.14.

Five constructed addresses, and those that the domain names in a TXT record at ``_validation-contactemail``
(appendix A.2.1). Each mail carries a random value of its own; whoever opens the link and says so has shown
control. Ballot SC-090 ends it for public trust on 2028-03-15.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hub.organizations.dcv.contract import Challenge, Instructions, MethodFacts, Sight, TxtLookup

MAILBOXES = ("admin", "administrator", "webmaster", "hostmaster", "postmaster")
CONTACT_LABEL = "_validation-contactemail"
# RFC 6532 addresses are left out: the mail server may not take them.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}\Z")
_MAX_CONTACTS = 5


class Email:
    """Mails a link and waits for it to be confirmed."""

    facts = MethodFacts(
        name="email",
        display_name="E-mail",
        section="3.2.2.4.4",
        covers_subdomains=True,
        ends_at=datetime(2028, 3, 15, tzinfo=UTC),
        corroborated=False,
    )

    def instructions(self, challenge: Challenge) -> Instructions:
        """Return whose mail to read."""
        text = (
            f"A link was mailed to addresses of {challenge.domain}. Open one of the mails and confirm there."
        )
        return Instructions(text=text)

    def contact_lookup(self, domain: str) -> TxtLookup:
        """Return where the domain names its contacts."""
        return TxtLookup(f"{CONTACT_LABEL}.{domain}")

    def recipients(self, domain: str, contacts: Sight | None) -> tuple[str, ...]:
        """Return the constructed addresses, then those that the domain names itself."""
        constructed = [f"{mailbox}@{domain}" for mailbox in MAILBOXES]
        named = [value.strip() for value in (contacts.values if contacts else ())]
        valid = [address for address in named if _ADDRESS.match(address)][:_MAX_CONTACTS]
        return tuple(dict.fromkeys((*constructed, *valid)))
