"""Real kernels: what packages and source folders hold, lowered and proved like synthesised ones."""
