"""The gallery shows what the synthesiser makes now."""

from __future__ import annotations

from benchmarks.gallery import PAGE, page

from irsmith.synth import CATEGORIES


def test_the_gallery_is_current():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: make docs"


def test_every_category_says_what_it_is():
    for name, entry in CATEGORIES.items():
        assert entry.make.__doc__, name
        assert f"\n## {name}\n" in PAGE.read_text(encoding="utf-8")
