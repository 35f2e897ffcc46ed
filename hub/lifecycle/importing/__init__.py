"""Certificates from files: an archive is read file by file, what it holds becomes External certificates."""
