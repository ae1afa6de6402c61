"""What code and objects of a user lead to: names, attributes, methods. Guards look there for what may change between calls."""

from __future__ import annotations

import enum
import functools
import sys
import types
from collections.abc import Iterator
from typing import Any

__all__ = ["attributes", "is_users_class", "is_users_module", "methods", "names_in", "of_a_library"]

_LIBRARIES = {__package__.partition(".")[0], "numpy", "builtins", *sys.stdlib_module_names} - {"__main__"}


def names_in(code: types.CodeType) -> set[str]:
    """Names that code looks up, in its module or as attributes, also in functions written inside it; words in it may be such names."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= names_in(constant)
        elif isinstance(constant, str) and constant.isidentifier():
            found.add(constant)
    return found


def of_a_library(x: Any) -> bool:
    """Whether x, or its class, is written in this package, NumPy or Python itself: then what it holds are no settings of a user."""
    module = getattr(x, "__module__", None) or type(x).__module__ or ""
    return module.partition(".")[0] in _LIBRARIES


def is_users_class(x: Any) -> bool:
    """Whether x is a class whose attributes may be a user's settings; the members of an Enum are not changed."""
    return isinstance(x, type) and not of_a_library(x) and not isinstance(x, enum.EnumMeta)


def is_users_module(x: Any) -> bool:
    """Whether x is a module with code of a user, and not an installed one."""
    place = getattr(x, "__file__", None) or ""
    return isinstance(x, types.ModuleType) and x.__name__.partition(".")[0] not in _LIBRARIES and "-packages" not in place


def attributes(x: Any) -> dict[str, Any]:
    """What an object holds under names, in its ``__dict__`` or in slots."""
    slots = [name for kind in type(x).__mro__ for name in _listed(vars(kind).get("__slots__", ()))]
    found = {name: getattr(x, name) for name in slots if name not in ("__dict__", "__weakref__") and hasattr(x, name)}
    return found | getattr(x, "__dict__", {})


def _listed(slots: Any) -> Any:
    return (slots,) if isinstance(slots, str) else slots


def methods(kind: type) -> Iterator[tuple[str, types.FunctionType, bool]]:
    """The functions written in a class, with their names, and whether somebody else calls them: Python, or a library that the class extends."""
    for name, x in vars(kind).items():
        f = x.fget if isinstance(x, property) else x.func if isinstance(x, functools.cached_property) else getattr(x, "__func__", x)
        if isinstance(f, types.FunctionType):
            known = any(hasattr(base, name) for base in kind.__mro__ if base is not object and of_a_library(base))
            yield name, f, known or name.startswith("__")
