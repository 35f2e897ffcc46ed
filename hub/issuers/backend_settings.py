"""Settings of CA backends at rest: secret fields are kept apart, encrypted under the hub's key.

A field is secret when its type is pydantic's ``SecretStr``. The backend's ``uid`` is authenticated, so that
one backend's secrets can't be put in another's place.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from hub.issuers.errors import InvalidBackendSettings
from pki.at_rest import KeyEncryptionKey

AT_REST_PURPOSE = b"certwright ca backend settings v1\x00"


def validate(model: type[BaseModel], values: dict[str, Any]) -> BaseModel:
    """Return settings of a kind's model; raise InvalidBackendSettings naming the field."""
    try:
        return model.model_validate(values)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        field = ".".join(("settings", *(str(part) for part in first["loc"])))
        raise InvalidBackendSettings(f"{field}: {first['msg']}", field=field) from fault


def store(settings: BaseModel, *, key: KeyEncryptionKey, uid: str) -> tuple[dict[str, Any], bytes | None]:
    """Return what may be read of the settings, and the encrypted secrets (None: there are none)."""
    secret = {
        name: value.get_secret_value()
        for name, value in ((name, getattr(settings, name)) for name in type(settings).model_fields)
        if isinstance(value, SecretStr)
    }
    shown = settings.model_dump(mode="json", exclude=set(secret))
    if not secret:
        return shown, None
    return shown, key.wrap(json.dumps(secret).encode(), AT_REST_PURPOSE + uid.encode())


def restore(
    model: type[BaseModel], shown: dict[str, Any], secrets: bytes | None, *, key: KeyEncryptionKey, uid: str
) -> BaseModel:
    """Put the two parts together again.

    Raises:
        WrongEncryptionKey, UnwrapError: the secrets were encrypted under another key, or for another backend.
        InvalidBackendSettings: a newer version of the kind wants other settings.
    """
    hidden = json.loads(key.unwrap(secrets, AT_REST_PURPOSE + uid.encode())) if secrets is not None else {}
    return validate(model, shown | hidden)
