"""Which errors are of one kind: messages to shapes, shapes to templates, and what is alike grows together."""
