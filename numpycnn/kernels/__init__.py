"""Loops compiled by numba; `numpycnn.kernels.engine` holds the machinery under them."""
