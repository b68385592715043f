"""JSON from strangers, with the rules and the words of src/strict_json.hpp."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from digitnet._core import FormatError

DEEPEST = 64  # nesting of objects and arrays that is read

# Strings, so that brackets in them do not count, and brackets. A string that is never closed goes to the end,
# or the search would begin anew at each quote in it.
_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*(?:"|\\?\Z)|[\[{\]}]', re.DOTALL)


def parse_json(prefix: str, data: bytes) -> Any:  # noqa: ANN401
    """Parse JSON; no key twice in an object, no nesting deeper than DEEPEST, nothing behind the end.

    Args:
        prefix: start of the message of every error: "Run: runs/a/config.json: ".
        data: the text, in UTF-8.

    Raises:
        FormatError: with the byte at which the text breaks a rule.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        msg = f"{prefix}byte {error.start} is not UTF-8"
        raise FormatError(msg) from None
    if text.count("[") + text.count("{") > DEEPEST and _depth(text) > DEEPEST:
        msg = f"{prefix}nested deeper than {DEEPEST} levels"
        raise FormatError(msg)
    try:
        value = _DECODER.decode(text)
        if "\\u" in text:  # half a surrogate pair is no character: nothing could write it again
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        msg = f"{prefix}byte {len(text[: error.pos].encode())} is not as JSON should be"
        raise FormatError(msg) from None
    except UnicodeEncodeError:
        msg = f"{prefix}half a surrogate pair in a text"
        raise FormatError(msg) from None
    except _RuleError as error:
        msg = f"{prefix}{error}"
        raise FormatError(msg) from None
    return value


def json_or_text(text: str) -> Any:  # noqa: ANN401
    """What a text of a model's metadata holds, if it is JSON by these rules, else the text."""
    try:
        return parse_json("", text.encode())
    except FormatError:
        return text


class _RuleError(Exception):
    """JSON, but not by the rules."""


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in _TOKEN.finditer(text):
        first = token[0][0]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in "]}":
            depth -= 1
    return deepest


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"the key {json.dumps(twice[:40])} stands twice in one object"
        raise _RuleError(msg)
    return members


def _real(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        msg = "a number out of range"
        raise _RuleError(msg)
    return value


def _whole(digits: str) -> int | float:
    # Python would take any number of digits, in more than linear time. As in C++, large ones become floats.
    return int(digits) if len(digits) < 20 else _real(digits)


def _constant(name: str) -> NoReturn:
    msg = f"{name} is not JSON"
    raise _RuleError(msg)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_real, parse_int=_whole, parse_constant=_constant
)
