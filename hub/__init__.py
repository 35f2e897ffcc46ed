"""The hub: the one lifecycle core, its front doors, and the fleet of agents."""

__version__ = "0.1.0"
