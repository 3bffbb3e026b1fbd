"""A source as tokens of which names and numbers are taken out, for telling how alike two sources are.

Unlike a structure, which is one program or another, tokens are taken from any text, so that a stranger's file can
be compared too, and a statement more changes few of them: user names are all the same token, and not numbered.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from collections.abc import Iterator

_SPACE = {tokenize.NL, tokenize.COMMENT, tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NEWLINE}
_WORD = re.compile(r"\w+|[^\w\s]")


def normalised(text: str) -> list[str]:
    """The tokens of a source: keywords, operators, Python's builtins and what comes from modules stay.

    What is no Python is cut into words, which compares with nothing but its like.
    """
    try:
        return list(_tokens(text))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return _WORD.findall(text)


def _tokens(text: str) -> Iterator[str]:
    kinds = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in _SPACE]
    modules = _modules(kinds)
    whose = ""
    for before, token in zip([None, *kinds], kinds, strict=False):
        word = token.string
        if token.type == tokenize.NAME:
            if before is not None and before.string == ".":
                yield word if whose in modules else "n"
                continue
            whose = word
            yield word if keyword.iskeyword(word) or word in modules or hasattr(builtins, word) else "n"
        elif token.type == tokenize.NUMBER:
            yield "1.0" if set(word.lower()) & set(".ej") and not word.lower().startswith("0x") else "1"
        elif token.type == tokenize.STRING:
            yield "''"
        elif token.type == tokenize.INDENT:
            yield "{"
        elif token.type == tokenize.DEDENT:
            yield "}"
        else:
            yield word
            if word != ".":
                whose = ""


def _modules(kinds: list[tokenize.TokenInfo]) -> set[str]:
    """The names that imports bind."""
    found: set[str] = set()
    line = 0
    for place, token in enumerate(kinds):
        if token.string in ("import", "from") and token.line.lstrip().startswith(("import ", "from ")):
            line = token.start[0]
        if token.type == tokenize.NAME and token.start[0] == line and not keyword.iskeyword(token.string):
            following = kinds[place + 1].string if place + 1 < len(kinds) else ""
            if following not in ("as", "import"):
                found.add(token.string)
    return found


def shingles(tokens: list[str], length: int) -> set[bytes]:
    """The runs of so many tokens; of a shorter text itself."""
    last = max(len(tokens) - length, 0)
    return {"\x1f".join(tokens[place : place + length]).encode() for place in range(last + 1)}


def definitions(text: str) -> list[tuple[str, str]]:
    """The functions at the top of a source, each with its name; none where it is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    lines = text.splitlines(keepends=True)
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            found.append((node.name, "".join(lines[first - 1 : node.end_lineno])))
    return found
