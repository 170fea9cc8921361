"""Comparisons with other frameworks (`python -m benchmarks.compare`) and kernel figures (`pytest benchmarks`)."""
