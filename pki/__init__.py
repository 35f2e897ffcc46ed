"""Keys, names, CSRs, certificates, chains and envelopes: the leaf package that hub and agents share.

Everything here is a pure function or a frozen dataclass over bytes: no socket, no database, no clock. Time is
passed in; randomness comes from the operating system only where a key, a nonce or a salt is made.
"""
