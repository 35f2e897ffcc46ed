"""The inventory with a million certificates."""
