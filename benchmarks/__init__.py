"""Measured claims: `python -m benchmarks` (see docs/performance.md)."""
