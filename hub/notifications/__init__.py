"""Telling people: which event is told to whom, through which channel, in which words."""
