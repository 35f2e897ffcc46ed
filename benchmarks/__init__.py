"""Benchmarks: each a module that prints a table, with the limit or peer it is held against."""
