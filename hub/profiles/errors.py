"""What can be wrong with certificate profiles."""

from __future__ import annotations

from hub.db.errors import Conflict, Malformed, NotFound


class ProfileNotFound(NotFound):
    """There is no such certificate profile, or it is not for you."""

    code = "profile_not_found"


class ProfileNameTaken(Conflict):
    """A certificate profile of this name exists already."""

    code = "profile_name_taken"


class ProfileInUse(Conflict):
    """Requests or certificates refer to the profile; disable it instead."""

    code = "profile_in_use"


class InvalidProfile(Malformed):
    """A field of the profile has a value that no certificate could satisfy."""

    code = "invalid_profile"


class CompromisedKeyNotFound(NotFound):
    """The key is not on the list of compromised keys."""

    code = "compromised_key_not_found"


class InvalidKeyList(Malformed):
    """The text is not a list of keys."""

    code = "invalid_key_list"
