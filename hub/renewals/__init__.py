"""Automatic renewal: when each certificate is renewed, why, and what the year ahead looks like."""
