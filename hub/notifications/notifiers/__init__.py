"""Ways out: one file a kind, found by entry points of ``certwright.notifiers``."""
