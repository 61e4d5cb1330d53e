"""The report socket: what applications tell the daemon of their errors, and what they are answered."""
