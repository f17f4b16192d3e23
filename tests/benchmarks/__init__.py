"""Benchmarks: `make bench`, or `python -m tests.benchmarks --list`. docs/performance.md has the results."""
