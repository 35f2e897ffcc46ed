"""Private CAs as administrators make and keep them: roots, issuing CAs, offline signing, new keys, trials."""
