"""Scenarios that print what was measured as a ratio: against a peer, or against a limit, in the same run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))  # crash.process runs the daemon, for tests and here
