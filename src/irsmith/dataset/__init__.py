"""Datasets: how rows are written, kept, described and read."""
