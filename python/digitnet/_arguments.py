"""What a call of the compiled module with arguments of the wrong types is told, in one line.

pybind11 raises a TypeError that lists all signatures and all arguments. bindings/argument_errors.cpp hands it
to explain, which finds the argument that does not fit. Nothing here runs unless a call has failed.
"""

from __future__ import annotations

import difflib
import operator
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

# NumPy is not imported, since that takes longer than all of digitnet; its arrays are told by what they have.

LONGEST = 60  # characters of a value that a message shows

# Classes that are filled by a function that users know better.
PLACES = {"TrainingOptions": "train"}

# Where an object of a class comes from.
SOURCES = {
    "Dataset": "Dataset(images, labels) makes one",
    "Network": "Network.load(path) loads one",
    "Optimizer": "make_optimizer(name) makes one",
}


def explain(place: str, message: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> str:
    """One line about a call that pybind11 refused.

    Args:
        place: the function, as users find it: "Network", "Network.predict", "Optimizer.learning_rate".
        message: of pybind11's TypeError; the signatures are in it.
        arguments: what was given by place; the object itself comes first for a method.
        named: what was given by name.

    Returns:
        "where: what was found, expected what; a hint".
    """
    listed = re.findall(r"^    \d+\. (.*)$", message.partition("\n\nInvoked with: ")[0], re.MULTILINE)
    signatures = [_parameters(line, is_constructor="incompatible constructor" in message) for line in listed]
    owner, _, member = place.partition(".")
    where = PLACES.get(owner, place)
    if len(signatures) == 1 and signatures[0] and re.fullmatch(r"arg\d", signatures[0][-1].name):
        # What is assigned to a property has no name of its own.
        signatures[0][-1] = signatures[0][-1]._replace(name=member)
        where = PLACES.get(owner, owner)
    problems = [_problem(parameters, arguments, named) for parameters in signatures]
    if not problems or None in problems:
        return f"{where}: {_what_was_given(arguments, named)}"
    # Of overloads, those that fail at the same argument say together what it may be.
    found, comma, expected = (problems[0] or "").partition(", expected ")
    for other in problems[1:]:
        if comma and other and other.startswith(found + comma):
            expected = f"{other[len(found + comma) :].partition('; ')[0]} or {expected}"
    return f"{where}: {found}{comma}{expected}"


def require(where: str, name: str, kind: str, value: object) -> None:
    """Raises a TypeError in the same words if an argument of a function in Python is of another type.

    Args:
        where: the function.
        name: of its parameter.
        kind: a type as pybind11 writes it: "float | digitnet._core.Dataset | None".
        value: what was given.
    """
    if problem := _misfit(Parameter(name, kind, required=True), value):
        msg = f"{where}: {problem}"
        raise TypeError(msg)


def nearest(name: str, names: Iterable[str], *, quote: str = "") -> str:
    """A hint, "; did you mean ...?", if a name is almost one of those there are."""
    near = difflib.get_close_matches(name, list(names), 1)
    return f"; did you mean {quote}{near[0]}{quote}?" if near else ""


# ---------------------------------------------------------------- signatures


class Parameter(NamedTuple):
    """A parameter in a signature."""

    name: str
    type: str
    required: bool
    by_name_only: bool = False


def _parameters(signature: str, *, is_constructor: bool) -> list[Parameter]:
    """Those of "name(first: type, second: type = default) -> type"."""
    # Older versions write the size of a sequence into its brackets: List[int[4]].
    signature = re.sub(r"(\w+\[\w+)\[(\d+)\]\]", r"Annotated[\1], FixedSize(\2)]", signature)
    inner = signature[signature.find("(") + 1 :]
    # Constructors are shown without self, but called with it.
    parameters = [Parameter("self", "", required=True)] if is_constructor else []
    by_name_only = False
    for part in _split(inner[: _closing(inner)], ", "):
        if part in ("*", "/", ""):
            by_name_only = by_name_only or part == "*"
            continue
        name, _, rest = part.partition(": ")
        kind, default, _ = rest.partition(" = ")
        parameters.append(Parameter(name, kind, not default, by_name_only))
    return parameters


def _closing(text: str) -> int:
    """Where the bracket that was opened before the text is closed."""
    depth = 0
    quote = ""
    for i, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            if depth == 0:
                return i
            depth -= 1
    return len(text)


def _split(text: str, separator: str) -> list[str]:
    """Splits a text, but not within brackets or quotes."""
    parts = [""]
    i = 0
    while i < len(text):
        if text.startswith(separator, i):
            parts.append("")
            i += len(separator)
            continue
        size = 1
        if text[i] in "([{":
            size = _closing(text[i + 1 :]) + 2
        elif text[i] in "'\"":
            size = text.find(text[i], i + 1) - i + 1 or len(text)
        parts[-1] += text[i : i + size]
        i += size
    return parts


# ---------------------------------------------------------------- what is wrong


def _problem(parameters: list[Parameter], arguments: Sequence[Any], named: Mapping[str, Any]) -> str | None:
    """The first argument that does not fit a signature, or none to be found."""
    by_place = [parameter for parameter in parameters if not parameter.by_name_only]
    shown = [parameter.name for parameter in parameters if parameter.name != "self"]
    if len(arguments) > len(by_place):
        own = len(parameters) - len(shown)
        found, most = len(arguments) - own, len(by_place) - own
        names = ", ".join(parameter.name for parameter in by_place[own:])
        unnamed = " without a name" if most < len(shown) else ""
        limit = f"at most {most} ({names}){unnamed}" if most else "none"
        return f"{found} argument{'s' if found > 1 else ''}, expected {limit}"
    given = dict(zip((parameter.name for parameter in by_place), arguments))
    for name in named:
        if name not in shown:
            hint = nearest(name, shown, quote="'")
            return f"no argument is called '{name}', expected {_any_of(shown)}{hint}"
        if name in given:
            return f"{name} is given twice, expected once"
    given.update(named)
    for parameter in parameters:
        if parameter.name not in given:
            if parameter.required:
                return f"{parameter.name} is missing, expected {_expected(parameter.type)}"
        elif problem := _misfit(parameter, given[parameter.name]):
            return problem
    unsure = [each for each in parameters if each.name in given and not _is_known(each.type)]
    return _blame(unsure[0], given[unsure[0].name]) if len(unsure) == 1 else None


def _misfit(parameter: Parameter, value: object) -> str | None:
    """What is wrong with an argument, if it is of the wrong type."""
    if _fits(parameter.type, value):
        return None
    for alternative in _alternatives(parameter.type):  # of a sequence, the first element that is wrong
        name, inner = _generic(alternative)
        if name in SEQUENCES:
            for i, element in enumerate(_elements(value) or []):
                if not _fits(inner[0], element):
                    return _blame(Parameter(f"{parameter.name}[{i}]", inner[0], required=True), element)
    return _blame(parameter, value)


def _blame(parameter: Parameter, value: object) -> str:
    name, kind, *_ = parameter
    is_mask = name.startswith("samples[") and _is_bool(value)
    hint = "; numpy.flatnonzero gives the numbers of a mask" if is_mask else _hint(kind, value)
    return f"{name} is {_shown(value)}, expected {_expected(kind)}{hint}"


def _hint(kind: str, value: object) -> str:
    names = [_generic(each)[0] for each in _alternatives(kind)]
    if any(name in WHOLE for name in names):
        if isinstance(value, float) and value.is_integer() and value >= 0:
            return f"; did you mean {int(value)}?"
        if isinstance(value, int) and value >= 2**64:
            return "; it must be below 2**64"
    if isinstance(value, type) and any(each.__name__ in names for each in value.__mro__):
        return f"; did you mean {value.__name__}()?"
    if "Dataset" in names and type(value).__name__ == "Mnist":
        return "; did you mean its .train or its .test?"
    return next((f"; {SOURCES[name]}" for name in names if name in SOURCES), "")


# ---------------------------------------------------------------- types, as pybind11 2 and 3 write them

WHOLE = ("SupportsInt", "SupportsIndex", "int")
NUMBER = ("SupportsFloat", "float")
SEQUENCES = ("Sequence", "list", "List")
PATH = ("PathLike", "Path")
TUPLE = ("tuple", "Tuple")
DICT = ("dict", "Dict", "Mapping")
SIZE = re.compile(r"FixedSize\((\d+)\)")  # of a sequence

WORDS = {
    **dict.fromkeys(WHOLE, "a whole number of at least 0"),  # no function takes others
    **dict.fromkeys(NUMBER, "a number"),
    **dict.fromkeys(PATH, "a path"),
    **dict.fromkeys(TUPLE, "a tuple"),
    **dict.fromkeys(DICT, "a dict"),
    "str": "a str",
    "bytes": "bytes",
    "bool": "True or False",
    "Callable": "a function",
    "Schedule": "a function",  # is made one
    "None": "None",
}
PLURALS = {
    "a whole number of at least 0": "whole numbers of at least 0",
    "a number": "numbers",
    "a str": "str",
}


def _generic(kind: str) -> tuple[str, list[str]]:
    """("Sequence", ["int"]) of "collections.abc.Sequence[int]"."""
    outer, bracket, inner = kind.partition("[")
    return outer.rpartition(".")[2], _split(inner[:-1], ", ") if bracket else []


def _alternatives(kind: str) -> list[str]:
    """The types of which a value may be any: ["int", "None"] of "Optional[int]" and of "int | None"."""
    parts = _split(kind, " | ")
    if len(parts) == 1:
        name, inner = _generic(kind)
        if name == "Annotated":
            return _alternatives(inner[0])
        if name not in ("Optional", "Union"):
            return parts
        parts = [*inner, "None"] if name == "Optional" else inner
    return [each for part in parts for each in _alternatives(part)]


def _is_known(kind: str) -> bool:
    """Whether _fits can tell: not for what else a type asks for, such as a number of elements."""
    known = (*WHOLE, *NUMBER, *SEQUENCES, *PATH, "", "str", "bytes", "bool", "Callable", "None")
    return not SIZE.search(kind) and all(
        each.startswith("digitnet._core.") or _generic(each)[0] in known for each in _alternatives(kind)
    )


def _fits(kind: str, value: object) -> bool:
    """Whether a value could be of a type; yes for types that are not known here."""
    alternatives = _alternatives(kind)
    if any(_generic(each)[0] in NUMBER for each in alternatives):  # written with SupportsIndex, too
        alternatives = [each for each in alternatives if _generic(each)[0] not in WHOLE]
    return any(_fits_one(each, value) for each in alternatives)


def _fits_one(kind: str, value: object) -> bool:
    name, inner = _generic(kind)
    if name in WHOLE:
        return _is_whole(value)
    if name in NUMBER:
        return _is_number(value)
    if name in SEQUENCES:
        elements = _elements(value)
        return elements is not None and all(_fits(inner[0], element) for element in elements)
    if name in PATH:
        return isinstance(value, (str, bytes, os.PathLike))
    if name == "Callable":
        return callable(value)
    if name == "None":
        return value is None
    if kind.startswith("digitnet._core."):
        return any(each.__name__ == name for each in type(value).__mro__)
    if name == "bool":
        return _is_bool(value)
    return isinstance(value, {"str": str, "bytes": bytes}.get(name, object))


def _is_bool(value: object) -> bool:
    return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")  # or NumPy's


def _is_whole(value: object) -> bool:
    try:
        return not _is_bool(value) and 0 <= operator.index(value) < 2**64  # type: ignore[arg-type]
    except TypeError:
        return False


def _is_number(value: object) -> bool:
    if getattr(value, "ndim", 0) > 0:
        return False
    return hasattr(value, "__float__") or hasattr(value, "__index__")


def _elements(value: object) -> list[Any] | None:
    """Those of a sequence, none of anything else."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return None
    return list(value) if hasattr(value, "__len__") else None


# ---------------------------------------------------------------- words


def _expected(kind: str) -> str:
    """A type in words."""
    words = list(dict.fromkeys(map(_word, _alternatives(kind))))
    if "a number" in words:  # of any kind
        words = [word for word in words if word != WORDS["int"]]
    if "a path" in words:  # in any form
        words = [word for word in words if word not in (WORDS["str"], WORDS["bytes"])]
    size = SIZE.search(kind)
    return _any_of(words) + (f", {size[1]} of them" if size else "")


def _word(kind: str) -> str:
    name, inner = _generic(kind)
    if name in SEQUENCES:
        element = _expected(inner[0])
        return f"a sequence of {PLURALS.get(element, element)}"
    if name in ("ArrayLike", "ndarray", "NDArray"):
        return f"an array of {_generic(inner[0])[0]}" if inner else "an array"
    return WORDS.get(name) or _with_article(name)


def _any_of(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _with_article(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOU' else 'a'} {name}"


def _shown(value: Any) -> str:  # noqa: ANN401
    """A value as a message can show it: short, on one line."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        if value.shape != ():
            return f"an array of dtype {value.dtype} and shape {value.shape}"
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str, bytes, list, tuple, dict)):
        text = " ".join(repr(value).split())
        return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
    return _with_article(type(value).__name__)


def _what_was_given(arguments: Sequence[Any], named: Mapping[str, Any]) -> str:
    """For a call in which no single argument can be blamed."""
    shown = [*map(_shown, arguments), *(f"{name}={_shown(value)}" for name, value in named.items())]
    return f"arguments {', '.join(shown)}, expected other types; see help()"
