"""The licence of a package as an SPDX expression, from the package's own metadata, and whether it allows use."""

from __future__ import annotations

import re
from collections.abc import Collection
from importlib.metadata import PackageMetadata

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

PERMISSIVE = (
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unlicense",
    "Zlib",
)
"""Licences that ask for no more than their notice, by SPDX identifier."""

UNSTATED = "unstated"
"""Stands in a list of licences for code that states none, such as one's own."""

_CLASSIFIERS = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: MIT No Attribution License (MIT-0)": "MIT-0",
    "License :: OSI Approved :: Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "License :: OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
    "License :: OSI Approved :: zlib/libpng License": "Zlib",
    "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
}
"""Trove classifiers that name one licence: `BSD License` names several."""

_MENTION = re.compile(r"SPDX-License-Identifier:\s*([\w.+-]+(?:\s+(?:AND|OR|WITH)\s+[\w.+-]+)*)")


def of_metadata(metadata: PackageMetadata) -> str | None:
    """The licence that a distribution states: ``License-Expression``, else ``License``, else one classifier."""
    for field in ("License-Expression", "License"):
        found = canonical(metadata[field]) if field in metadata else None
        if found is not None:
            return found
    named = {_CLASSIFIERS[line] for line in metadata.get_all("Classifier") or () if line in _CLASSIFIERS}
    return named.pop() if len(named) == 1 else None


def of_text(text: str) -> str | None:
    """The licence that a file's own ``SPDX-License-Identifier`` states."""
    found = _MENTION.search(text)
    return canonical(found[1]) if found else None


def canonical(expression: str) -> str | None:
    """An SPDX expression as it should be written, or None if it is none."""
    try:
        return str(canonicalize_license_expression(expression))
    except InvalidLicenseExpression:
        return None


def allowed(expression: str | None, licences: Collection[str]) -> bool:
    """Whether one of the licences that an expression offers is in a list; of those joined by AND, all.

    Exceptions (``WITH``) only widen what a licence permits. Where nothing is stated, `UNSTATED` has to be in the list.
    """
    if expression is None:
        return UNSTATED in licences
    return _Expression(re.findall(r"[()]|[^\s()]+", expression), licences).read()


class _Expression:
    """Reads an expression by recursive descent: OR of ANDs of names and parentheses."""

    def __init__(self, words: list[str], licences: Collection[str]) -> None:
        self._words = words
        self._licences = licences
        self._at = 0

    def read(self) -> bool:
        result = self._all()
        while self._take("OR"):
            other = self._all()
            result = result or other
        return result

    def _all(self) -> bool:
        result = self._one()
        while self._take("AND"):
            other = self._one()
            result = result and other
        return result

    def _one(self) -> bool:
        if self._take("("):
            result = self.read()
            self._take(")")
            return result
        name = self._words[self._at]
        self._at += 1
        if self._take("WITH"):
            self._at += 1
        return name in self._licences

    def _take(self, word: str) -> bool:
        found = self._at < len(self._words) and self._words[self._at] == word
        self._at += found
        return found
