"""The estimators, on populations whose answer is known."""

from __future__ import annotations

import random
from collections import Counter

from benchmarks.distinct import chao, heaps, interval, multiplicities, repeats


def drawn(population: list[int], weights: list[float], count: int) -> list[str]:
    return [str(x) for x in random.Random(3).choices(population, weights, k=count)]


def test_multiplicities_count_how_often_each_occurred():
    assert multiplicities("aabbbcd") == {1: 2, 2: 1, 3: 1}


def test_repeats_of_the_whole_and_of_none():
    seen = {1: 5, 3: 2}
    assert repeats(seen, 1.0) == 11 - 7
    assert repeats(seen, 0.0) == 0


def test_chao_finds_the_size_of_an_even_population():
    sample = drawn(list(range(20_000)), [1.0] * 20_000, 10_000)
    more = drawn(list(range(20_000)), [1.0] * 20_000, 40_000)
    truth = len(set(more)) / 40_000
    assert abs(chao(multiplicities(sample), 40_000) - truth) < 0.03


def test_both_are_near_where_repeats_are_rare():
    # Most of a large population is met once; a small part is met often, as short kernels are.
    population = list(range(2_000_000))
    weights = [1.0] * 2_000_000
    weights[:500] = [100.0] * 500
    truth = len(set(drawn(population, weights, 200_000))) / 200_000
    seen = multiplicities(drawn(population, weights, 20_000))
    low, high = interval(seen, 200_000)
    assert low <= heaps(seen, 200_000) <= high
    assert truth - 0.1 < heaps(seen, 200_000) < truth
    assert truth - 0.06 < chao(seen, 200_000) < truth


def test_a_long_tail_is_never_promised_more_than_it_has():
    weights = [1 / (rank + 10) for rank in range(400_000)]
    population = list(range(400_000))
    truth = len(set(drawn(population, weights, 100_000))) / 100_000
    seen = multiplicities(drawn(population, weights, 10_000))
    assert heaps(seen, 100_000) < truth
    assert chao(seen, 100_000) < truth


def test_no_repeats_are_all_distinct():
    assert heaps({1: 100}, 1000) == 1.0
    assert chao({1: 100}, 1000) > 0.9
    assert Counter(multiplicities("abc")) == {1: 3}
