"""The built-in steps, each run inside the sandbox as the user of its step. Standard library only."""
