"""The engine loop (decide, commit, act), the dispatcher, the supervisor, the reload."""
