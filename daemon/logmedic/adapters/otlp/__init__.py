"""Pushes the figures over OTLP. Needs the extra `otlp`, and nobody imports it but where metrics.otlp is set."""
