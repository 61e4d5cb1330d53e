"""Decisions: pure functions over model."""
