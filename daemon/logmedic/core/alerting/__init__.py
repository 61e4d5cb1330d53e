"""From news to messages, one stage a file; the order of the stages is in flush.py."""
