"""Values of what another process said in JSON: of the form that was agreed on, or refused. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
_Fits = Callable[[Any], bool]


def object_of(told: str | bytes) -> dict[str, Any]:
    """Raises ValueError for what is no JSON object, also for one that is nested too deep to be read."""
    try:
        found = json.loads(told)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    return found


def value_of(kind: type[T], row: object) -> T:
    """The frozen dataclass `kind`, whose fields are texts, numbers, truths, lists of those, or None. A key that is left
    out has its default. Raises ValueError for keys that are not known or missing, and for values of another type."""
    if not isinstance(row, Mapping):
        raise ValueError("it is no object")
    known = _fields(kind)
    if strange := row.keys() - known.keys():
        raise ValueError(f"{min(strange)[:40]!r} is not known")
    given = {}
    for name, (fits, needed) in known.items():
        if name in row:
            if not fits(row[name]):
                raise ValueError(f"{name} is of another type")
            given[name] = tuple(row[name]) if isinstance(row[name], list) else row[name]
        elif needed:
            raise ValueError(f"{name} is missing")
    return kind(**given)


def _fields(kind: type[Any]) -> Mapping[str, tuple[_Fits, bool]]:
    """By name: what its value has to be, and whether it has no default."""
    hints = get_type_hints(kind)
    return {
        each.name: (_fitting(hints[each.name]), each.default is MISSING and each.default_factory is MISSING)
        for each in fields(kind)
    }


def _fitting(hint: Any) -> _Fits:
    if get_origin(hint) is UnionType:
        choices = [_fitting(each) for each in get_args(hint)]
        return lambda given: any(fits(given) for fits in choices)
    if get_origin(hint) is tuple:
        inner = _fitting(get_args(hint)[0])
        return lambda given: isinstance(given, list) and all(map(inner, given))
    kinds = {float: (float, int), NoneType: (NoneType,)}.get(hint, (hint,))
    return lambda given: type(given) in kinds  # True is no number
