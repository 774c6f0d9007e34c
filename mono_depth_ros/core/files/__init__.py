"""Depth files, messages by their fields, and compression."""
