"""Slow, plain versions of everything that is fast in the package."""
