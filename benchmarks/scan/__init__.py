"""Scan engine: processor time a target, against nmap's ssl-cert."""
