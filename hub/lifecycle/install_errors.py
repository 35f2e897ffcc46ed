"""What can be wrong with installing a certificate, restarting its server, or its key."""

from __future__ import annotations

from hub.db.errors import Conflict, NotFound


class ItemNotFound(NotFound):
    """There is no such node of this certificate's installation."""

    code = "install_item_not_found"


class NotForInstallation(Conflict):
    """The certificate can't be installed by an agent."""

    code = "not_for_installation"


class CertificateAtWork(Conflict):
    """An agent is at work for the certificate."""

    code = "certificate_at_work"


class NothingToRestart(Conflict):
    """No server waits for a restart."""

    code = "nothing_to_restart"
