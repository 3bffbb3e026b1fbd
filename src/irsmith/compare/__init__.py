"""How alike two corpora of kernels are: what people wrote beside what was synthesised, or any other two."""

from irsmith.compare.comparison import Comparison, Feature, compare, corpus, distance
from irsmith.compare.features import FEATURES, Sample, samples, tokens

__all__ = ["FEATURES", "Comparison", "Feature", "Sample", "compare", "corpus", "distance", "samples", "tokens"]
