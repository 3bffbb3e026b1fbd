"""A small dataset, and copies of it that tests spoil."""

from __future__ import annotations

import shutil

import pytest
from tests.dataset.spoiling import SMALL

import irsmith


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A finished dataset of three parts, not to be written to."""
    root = tmp_path_factory.mktemp("small") / "d"
    irsmith.generate(SMALL, root, workers=2, jsonl=True)
    return root


@pytest.fixture
def copy(small, tmp_path):
    """A copy of it that may be spoiled."""
    root = tmp_path / "copy"
    shutil.copytree(small, root)
    return root
