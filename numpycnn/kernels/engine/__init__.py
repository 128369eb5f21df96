"""Machinery of the loops: compilation, vector registers, micro-kernels, threads and memory. Not first reading."""
