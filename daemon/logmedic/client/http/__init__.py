"""What the middlewares of ASGI and WSGI share, and what is each one's own."""
