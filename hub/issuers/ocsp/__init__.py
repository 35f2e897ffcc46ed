"""Answering OCSP requests for the private CAs (RFC 6960, RFC 5019), from memory wherever that is possible."""
