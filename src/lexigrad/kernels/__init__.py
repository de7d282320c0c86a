"""The hot loops: no validation, no files, no GIL."""
