"""Draws that take as many numbers as it needs, against compiled Warp."""

import numpy as np

TEXT = """
import warp as wp


@wp.kernel
def counted_events(mean: wp.array[float], o: wp.array[wp.uint32]):
    i = wp.tid()
    state = wp.rand_init(11, i)
    first = wp.poisson(state, mean[i])
    o[i] = first * wp.uint32(1000) + wp.poisson(state, 2.5) + wp.randu(state) % wp.uint32(7)
"""


def test_counted_events(against_warp):
    mean = np.tile(np.array([0.0, 0.3, 4.0, 9.99, 10.0, 25.0, 140.0], np.float32), 60)[None]
    given = {"mean": mean, "o": np.zeros(mean.shape, np.uint32)}
    counts = against_warp(TEXT).check("counted_events", given, (mean.shape[1],))["o"][0] // 1000
    for value in (0.0, 4.0, 25.0, 140.0):
        assert abs(counts[mean[0] == np.float32(value)].mean() - value) <= 0.6 * np.sqrt(value)
