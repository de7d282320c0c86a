"""One command a table; see docs/benchmarks.md."""
