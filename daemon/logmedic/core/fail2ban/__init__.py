"""Drafts of rules from the filters and jails of fail2ban: texts in, a text out. Reading files is an adapter's work."""
