"""Real kernels: what packages, wheels and source folders hold, as a dataset like any other."""

from irsmith.harvest.harvest import gather, harvest

__all__ = ["gather", "harvest"]
