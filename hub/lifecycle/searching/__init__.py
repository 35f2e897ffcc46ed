"""Finding certificates by a part of a name: an index of trigrams beside the certificates."""
