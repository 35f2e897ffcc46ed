"""Benchmark of revocation: OCSP answers a second, and lists of a million entries."""
