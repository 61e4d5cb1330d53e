"""`logmedic demo`: the main job on a real service that really breaks."""

from __future__ import annotations


def main(keep: bool = False) -> int:
    """Play the scene. Answers the exit code."""
    from logmedic.demo.scene import main as play  # late: its mail server is an extra of the demo

    return play(keep)
