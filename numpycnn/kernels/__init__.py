"""Floor 1, the loops: compiled by numba, each below the plain NumPy version that it is held to."""
