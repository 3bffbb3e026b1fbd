"""Engines run shards: they know tasks and processes, and nothing of kernels."""
