"""CAs elsewhere that certificates are ordered from: one file a kind of CA."""
