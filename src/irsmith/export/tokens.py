"""Count tokens without a network: a tokenizer whose data is inside its package, or a file of your own."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from irsmith.errors import UserError, nearest

Counter = Callable[[str], int]
"""Text to its number of tokens, without any that a tokenizer puts around a text."""

_TEKKEN_DATA = "tekken_240911.json"


@cache
def counter(name: str) -> Counter:
    """The counter of a tokenizer.

    Args:
        name: ``tekken``, or the path of a ``tokenizer.json`` as Hugging Face's ``tokenizers`` writes it.

    Raises:
        UserError: There is none of that name, the file is none, or the library is not installed.
    """
    if name.endswith(".json"):
        return _of_file(Path(name))
    if name not in BUILT_IN:
        raise UserError(
            f"unknown tokenizer {name!r}: {nearest(name, BUILT_IN)}, or give the path of your model's tokenizer.json"
        )
    return BUILT_IN[name]()


def _tekken() -> Counter:
    """Mistral's Tekken of 2024-09-11: byte-level BPE, 131,072 entries, trained on code among others."""
    try:
        import mistral_common
        from mistral_common.tokens.tokenizers.tekken import Tekkenizer
    except ModuleNotFoundError:
        raise UserError("tokenizer 'tekken': not installed: pip install 'irsmith[tokens]'") from None
    data = Path(mistral_common.__file__).parent / "data" / _TEKKEN_DATA
    tokenizer = Tekkenizer.from_file(data)
    return lambda text: len(tokenizer.encode(text, bos=False, eos=False))


def _of_file(path: Path) -> Counter:
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise UserError(f"tokenizer {path}: not installed: pip install 'irsmith[tokens]'") from None
    try:
        text = path.read_text(encoding="utf-8")
        if "model" not in json.loads(text):
            raise UserError(f"{path}: not a tokenizer.json: it has no model")
        tokenizer = Tokenizer.from_str(text)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise UserError(f"{path}: not a tokenizer.json: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


BUILT_IN: dict[str, Callable[[], Counter]] = {"tekken": _tekken}
"""The tokenizers that need no file, by name."""
