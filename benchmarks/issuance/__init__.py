"""Certificates a second through REST to the built-in CA."""
