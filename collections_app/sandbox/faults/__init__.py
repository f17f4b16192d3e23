"""Scripted faults: which request is hit, and what it gets instead of its answer."""
