"""Timing the panel's main pages on many complaints: `python -m benchmarks --help`."""
