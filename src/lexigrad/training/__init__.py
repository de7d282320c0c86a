"""Epochs, threads and progress."""
