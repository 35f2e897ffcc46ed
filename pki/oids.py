"""Object identifiers of our own, shared by hub and agents.

They hang under 2.25, the arc for identifiers made from a UUID (ITU-T X.667), which needs no registration. The
UUIDs are version 5, of the URL namespace: each can be computed again from the text beside it.
"""

from cryptography import x509

COMMAND_SIGNING = x509.ObjectIdentifier("2.25.16791574413705150057814606873685013817")
"""Extended key usage of the hub's command signing certificates.

The UUID of ``urn:certwright:command-signing``.
"""
