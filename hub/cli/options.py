"""Options that several commands share, and settings made from them."""

from __future__ import annotations

import argparse

from hub.config import Settings, load_settings


def add_settings(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add ``--data-dir`` and the flags of the settings called ``names``."""
    parser.add_argument("--data-dir", metavar="DIR", help="folder of the hub's files (default: .)")
    for name in names:
        field = Settings.model_fields[name]
        flag = "--" + name.replace("_", "-")
        text = (field.description or "").replace("%", "%%")
        if field.annotation is bool:
            parser.add_argument(flag, action="store_true", default=None, help=text)
        elif field.annotation is str and name in {
            "http",
            "grpc",
            "enroll",
            "status_http",
            "client_cert_http",
        }:
            default = f" (default {field.default})" if field.default else ""
            parser.add_argument(flag, metavar="HOST:PORT", help=text + default)
        else:
            parser.add_argument(flag, metavar=name.rpartition("_")[2].upper(), help=text)


def settings_of(parsed: argparse.Namespace) -> Settings:
    """Return the settings from flags, environment and file; raises ConfigurationError."""
    flags = {name: value for name, value in vars(parsed).items() if name in Settings.model_fields}
    return load_settings(flags=flags)
