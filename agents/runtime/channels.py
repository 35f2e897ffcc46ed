"""gRPC channels to the hub: the agent CA is the only root, and the limits fit the protocol."""

import grpc
import grpc.aio

from agents.runtime.identity import Identity

MAX_MESSAGE_BYTES = 8 * 1024 * 1024


def _options(server_name: str) -> list[tuple[str, int | str]]:
    options: list[tuple[str, int | str]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        # Every attempt is a fresh connection: retries and their pace are ours, not the library's.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.enable_retries", 0),
    ]
    if server_name:
        options.append(("grpc.ssl_target_name_override", server_name))
    return options


def enrollment_channel(address: str, ca_pem: bytes, *, server_name: str = "") -> grpc.aio.Channel:
    """A channel that knows the hub but shows no certificate."""
    credentials = grpc.ssl_channel_credentials(root_certificates=ca_pem)
    return grpc.aio.secure_channel(address, credentials, options=_options(server_name))


def control_channel(address: str, identity: Identity, *, server_name: str = "") -> grpc.aio.Channel:
    """A mutually authenticated channel."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=identity.ca_pem,
        private_key=identity.key_pem,
        certificate_chain=identity.certificate_pem,
    )
    return grpc.aio.secure_channel(address, credentials, options=_options(server_name))
