"""logmedic: a self-healing monitoring daemon for Linux hosts."""

__version__ = "0.1.0"
