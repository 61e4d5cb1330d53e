"""Unix sockets that others connect to: their files, and who is at the other end."""
