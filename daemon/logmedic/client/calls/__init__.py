"""What retry, breaker, fallback and the self-healing wrapper share."""
