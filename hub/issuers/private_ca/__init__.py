"""The built-in certification authority."""
