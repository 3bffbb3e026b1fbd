"""Machine learning: the layers, losses and steps that people write, each with choices of its own, in ordinary code.

Every category draws sizes, variants and spellings, and what comes before and after its core grows as elsewhere.
"""
