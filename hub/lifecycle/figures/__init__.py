"""How many certificates there are of what: counts kept beside the certificates, and what is read of them."""
