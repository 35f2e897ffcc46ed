"""Inventory of the TLS servers that this agent may look after."""
