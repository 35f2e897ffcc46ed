"""``config.toml`` in the state directory: which agent this is, where its hub is, who holds the store's key.

Written at enrollment; the addresses and the intervals may be edited. Unknown keys are errors, so that a
typing mistake does not pass for a setting.
"""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agents.runtime.errors import ConfigMalformed, NotEnrolled

Address = Annotated[str, Field(pattern=r"^.+:\d{1,5}$", max_length=300)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class HubConfig(_Strict):
    """Where the hub is; HOST:PORT."""

    control: Address
    enrollment: Address
    server_name: str = ""
    """Name that the hub's certificate must carry, where it differs from the host dialled."""
    reconnect_base_s: Annotated[float, Field(gt=0, le=3600)] = 8.0
    """After a cut, try again at a random moment within this time; it doubles with each failure."""
    reconnect_cap_s: Annotated[float, Field(gt=0, le=86_400)] = 120.0


class StoreConfig(_Strict):
    """Who holds the key that protects the agent's store."""

    key: Literal["file", "passphrase", "credential"] = "file"
    passphrase_file: str = ""


class LimitsConfig(_Strict):
    """How much at once, and how long."""

    concurrent_commands: Annotated[int, Field(ge=1, le=256)] = 8
    waiting_commands: Annotated[int, Field(ge=0, le=10_000)] = 24
    drain_s: Annotated[int, Field(ge=0, le=600)] = 20
    """Seconds that SIGTERM leaves to running commands."""
    keep_results_days: Annotated[int, Field(ge=1, le=3650)] = 30


class AgentConfig(_Strict):
    """The whole file."""

    kind: Literal["network", "pks"]
    agent_id: Annotated[str, Field(min_length=1, max_length=100)]
    name: str
    organization: str = ""
    hub: HubConfig
    store: StoreConfig = StoreConfig()
    limits: LimitsConfig = LimitsConfig()


@dataclass(frozen=True, slots=True)
class _Line:
    key: str
    value: str | float

    def __str__(self) -> str:
        # A JSON string is a TOML basic string, except for DEL, which neither names nor paths need.
        return f"{self.key} = {json.dumps(self.value)}"


def dump_config(config: AgentConfig) -> bytes:
    """Render the file."""
    lines = [
        "# Who this agent is and where its hub is. Written by `certwright-agent enroll`.",
        *(str(_Line(key, getattr(config, key))) for key in ("kind", "agent_id", "name", "organization")),
        "",
        "[hub]",
        *(str(_Line(key, value)) for key, value in config.hub.model_dump().items()),
        "",
        "[store]",
        *(str(_Line(key, value)) for key, value in config.store.model_dump().items()),
        "",
        "[limits]",
        *(str(_Line(key, value)) for key, value in config.limits.model_dump().items()),
        "",
    ]
    return "\n".join(lines).encode()


def load_config(path: Path) -> AgentConfig:
    """Read the file; raise NotEnrolled when there is none, or ConfigMalformed."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as fault:
        raise NotEnrolled(f"{path.parent} holds no agent; run certwright-agent enroll first") from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigMalformed(f"{path}: {fault}") from fault
    try:
        return AgentConfig.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise ConfigMalformed(f"{path}: {fault}") from fault
    except ValidationError as fault:
        raise ConfigMalformed(f"{path}: {describe_faults(fault)}") from fault


def describe_faults(fault: ValidationError) -> str:
    """One line on what is wrong, without the values: one may be a secret in the wrong place."""
    faults = fault.errors(include_url=False, include_input=False)[:3]
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in faults)
