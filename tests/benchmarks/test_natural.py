"""The comparison with real kernels: what it counts, and that it can tell and cannot tell."""

from __future__ import annotations

from collections import Counter

import pytest
from benchmarks.natural import classified, page, real

from irsmith.compare import FEATURES, distance, samples, tokens

SOURCE = '''
import warp as wp

@wp.func
def twice(x: float):
    return 2.0 * x

@wp.kernel
def scale(values: wp.array(dtype=float), out: wp.array(dtype=float)):
    """Scale."""
    i = wp.tid()
    # twice as much
    if values[i] < 0.0:
        return
    out[i] = twice(values[i]) + wp.sin(values[i])
'''


def test_what_is_counted():
    [sample] = samples(SOURCE, "x")
    found = {name: [value.strip() for value in read(sample)] for name, read in FEATURES.items()}
    assert found["builtins"] == ["tid", "sin"]
    assert found["calls of helpers"] == ["1"]
    assert (found["`if`"], found["`return`"], found["arguments"]) == (["1"], ["1"], ["2"])
    assert (found["docstring"], found["comments"], found["lines"]) == (["True"], ["1"], ["7"])
    assert found["lengths of names"] == ["1"]
    assert "scale" not in tokens(sample)
    assert "values" not in tokens(sample)
    assert "wp_sin" in tokens(sample)


def test_distance_is_zero_for_the_same_and_one_for_nothing_in_common():
    assert distance(Counter("aab"), Counter("aabaab")) == 0
    assert distance(Counter("a"), Counter("b")) == pytest.approx(1)
    assert 0 < distance(Counter("aab"), Counter("abb")) < 1


def test_the_classifier_tells_what_differs_and_not_what_does_not():
    def kernel(body: str) -> str:
        return f"@wp.kernel\ndef k(a: wp.array(dtype=float)):\n    i = wp.tid()\n    {body}\n"

    mine = [s for n in range(60) for s in samples(kernel(f"a[i] = a[i] * {n}.0"), "made")]
    same = [s for n in range(60) for s in samples(kernel(f"a[i] = a[i] * {n}.5"), "real")]
    other = [s for n in range(60) for s in samples(kernel(f"a[i] = wp.sin(a[i] + {n}.0)"), "real")]
    assert classified(other, mine)[0] == 1.0
    assert classified(same, mine)[0] < 0.65


def test_a_folder_of_real_code_gives_a_page(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.py").write_text(SOURCE * 6)
    (tmp_path / "broken.py").write_text("def (")
    true = real([tmp_path])
    assert len(true) == 6
    text = page(true, samples(SOURCE.replace("wp.sin", "wp.cos") * 6, "map"), "here")
    assert "| builtins | 0." in text
    assert "| real | 6 |" in text
