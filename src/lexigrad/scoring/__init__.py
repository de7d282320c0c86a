"""Scoring a corpus: tables and files in, the same rows with scores, or the best of them, out."""
