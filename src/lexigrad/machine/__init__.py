"""What the machine gives: compiled kernels, vector operations, threads."""
