"""Benchmarks: each prints a table with a baseline from the same run, and what its bars ask."""
