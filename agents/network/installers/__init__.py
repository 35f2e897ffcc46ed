"""Server installers: plug-ins that put a certificate on a server and never leave it broken."""
