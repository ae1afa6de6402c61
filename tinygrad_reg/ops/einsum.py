"""Einstein sums: a product of arrays whose axes are named by letters, summed over the letters that the result leaves out.

``einsum`` reads the letters and the order of work; each step is one op, of one array or of two. A pair is multiplied as matrices where
that is possible, because a matrix product is many times faster than a loop over letters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from string import ascii_letters
from typing import Any, NamedTuple

import numpy as np

from ..domain import case
from ..op import expression, op
from .shape import as_array, broadcast_to, permute_dims, reshape

FITS = "each letter names axes of one size, and the letters after -> stand before it too"


# ------------------------------------------------------------------------------------------------ one array


@op(
    label="einsum",
    cases=(
        case((2, 3), subscripts="ij->ji"),
        case((2, 3), subscripts="ij->"),
        case((3, 3), subscripts="ii->"),
        case((3, 3), subscripts="ii->i"),
        case((2, 3, 2), subscripts="iji->j"),
        case((2, 3, 2, 3), subscripts="ijij->i"),
        case((0, 3), subscripts="ij->j"),
        case((), subscripts="->"),
    ),
    fits=FITS,
)
def einsum_single(x, *, subscripts):
    """Axes of one array, named by letters, put in order, summed, or read along a diagonal: ``"iij->j"``. Use ``einsum``.

    A letter that comes twice means the diagonal of its axes; one that is missing after ``->`` is summed.
    Slope: 1 for each element where it is read, else 0.

    >>> einsum_single(Tensor([[1.0, 2.0], [3.0, 4.0]]), "ii->i")
    Tensor([1., 4.])
    """
    return np.einsum(subscripts, x)


def _single(g, out, x, subscripts):
    before, after = subscripts.split("->")
    return _spread(g, after, before, x.shape)


einsum_single.defvjp(_single)


def _spread(g: Any, has: str, wanted: str, shape: tuple[int, ...]) -> Any:
    """g with axes ``has`` as an array with axes ``wanted``: repeated along new letters, on the diagonal of those that come twice."""
    if len(set(wanted)) < len(wanted):
        return einsum_back(g, subscripts=f"{has}->{wanted}", shape=shape)
    g = permute_dims(g, axes=tuple(sorted(range(len(has)), key=lambda i: wanted.index(has[i]))))
    return broadcast_to(reshape(g, shape=tuple(n if letter in has else 1 for letter, n in zip(wanted, shape, strict=True))), shape=shape)


@op(
    label="einsum back",
    cases=(
        case((3,), subscripts="i->ii", shape=(3, 3)),
        case((), subscripts="->ii", shape=(3, 3)),
        case((3,), subscripts="j->iji", shape=(2, 3, 2)),
        case((2, 3), subscripts="ji->ijij", shape=(3, 2, 3, 2)),
        case((0,), subscripts="i->ii", shape=(0, 0)),
    ),
    fits=FITS,
)
def einsum_back(x, *, subscripts, shape):
    """Zeros of ``shape`` with x on the diagonal of letters that come twice after ``->``: the mirror of einsum_single.

    Slope: 1 for each element.

    >>> einsum_back(Tensor([1.0, 4.0]), subscripts="i->ii", shape=(2, 2))
    Tensor([[1., 0.],
            [0., 4.]])
    """
    has, wanted = subscripts.split("->")
    once = "".join(dict.fromkeys(wanted))
    x, out = np.asarray(x), np.zeros(shape, np.asarray(x).dtype)
    np.einsum(f"{wanted}->{once}", out)[...] = _aligned(x, has, once)  # a view of the diagonal
    return out


einsum_back.defvjp(lambda g, out, x, subscripts, shape: einsum_single(g, subscripts="->".join(reversed(subscripts.split("->")))))


# ----------------------------------------------------------------------------------------------- two arrays


class _Plan(NamedTuple):
    """The letters of a pair by the part that they play."""

    both: str  # in both arrays and in the result: the matrices of a stack
    left: str  # in the first array and the result: rows
    right: str  # in the second array and the result: columns
    folded: str  # in both arrays, not in the result: what a matrix product sums over
    alone: tuple[tuple[int, ...], tuple[int, ...]]  # axes that only one array has and the result has not: summed first
    terms: tuple[str, str]  # the letters of both without those
    result: str


@lru_cache(maxsize=1024)
def _plan(subscripts: str) -> _Plan:
    terms, result = subscripts.split("->")
    a, b = terms.split(",")
    both = "".join(x for x in a if x in b and x in result)
    folded = "".join(x for x in a if x in b and x not in result)
    left = "".join(x for x in a if x not in b and x in result)
    right = "".join(x for x in b if x not in a and x in result)
    alone = tuple(tuple(i for i, x in enumerate(t) if x not in u and x not in result) for t, u in ((a, b), (b, a)))
    kept = tuple("".join(x for i, x in enumerate(t) if i not in axes) for t, axes in zip((a, b), alone, strict=True))
    return _Plan(both, left, right, folded, alone, kept, result)  # type: ignore[arg-type]


@op(
    label="einsum",
    cases=(
        case((2, 3), (3, 4), subscripts="ij,jk->ik"),
        case((2, 3), (4, 3), subscripts="ij,kj->ki"),
        case((5, 2, 3), (5, 3, 4), subscripts="bij,bjk->bik"),
        case((2, 3, 2), (2, 3), subscripts="ijb,bj->b"),
        case((2, 3), (2, 3), subscripts="ij,ij->"),
        case((2, 3), (3, 2), subscripts="ij,ji->ji"),
        case((2,), (3,), subscripts="i,j->ji"),
        case((2, 3), (4,), subscripts="ij,k->k"),
        case((2, 3), (2, 4), subscripts="ij,ik->ik"),
        case((2, 3, 2), (2, 3, 4), subscripts="ijk,kjl->li"),
        case((2, 0), (0, 3), subscripts="ij,jk->ik"),
        case((), (2,), subscripts=",i->i"),
    ),
    fits=FITS,
)
def einsum_pair(a, b, *, subscripts):
    """Product of two arrays whose axes are named by letters, each once per array: ``"ij,jk->ik"``. Use ``einsum``.

    Slopes: the same product of g and the other array, its letters in the order of the array meant.

    >>> einsum_pair(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0]), "ij,j->i")
    Tensor([3., 7.])
    """
    plan = _plan(subscripts)
    a, b = (np.add.reduce(x, axis=axes) if axes else np.asarray(x) for x, axes in zip((a, b), plan.alone, strict=True))
    if not plan.folded:
        return _aligned(a, plan.terms[0], plan.result) * _aligned(b, plan.terms[1], plan.result)
    if not plan.left and not plan.right:  # sums of products: matrices of one row would be slow
        if plan.terms[0] == plan.terms[1] and not plan.both:
            return a.ravel().dot(b.ravel())
        return np.einsum(f"{plan.terms[0]},{plan.terms[1]}->{plan.result}", a, b)
    return _as_matrices(a, b, plan)


def _aligned(x: Any, has: str, wanted: str) -> Any:
    """A view of x with its axes in the order ``wanted``, of size 1 where x has none."""
    x = x.transpose([has.index(letter) for letter in wanted if letter in has])
    return x[tuple(slice(None) if letter in has else None for letter in wanted)]


def _as_matrices(a: Any, b: Any, plan: _Plan) -> Any:
    sizes = dict(zip(plan.terms[0] + plan.terms[1], a.shape + b.shape, strict=True))
    stack, rows, columns, inner = ([sizes[x] for x in letters] for letters in (plan.both, plan.left, plan.right, plan.folded))
    a = _aligned(a, plan.terms[0], plan.both + plan.left + plan.folded)
    b = _aligned(b, plan.terms[1], plan.both + plan.folded + plan.right)
    if stack:
        product = np.matmul(a.reshape(*stack, math.prod(rows), math.prod(inner)), b.reshape(*stack, math.prod(inner), math.prod(columns)))
    else:
        product = a.reshape(math.prod(rows), math.prod(inner)).dot(b.reshape(math.prod(inner), math.prod(columns)))
    return _aligned(product.reshape(stack + rows + columns), plan.both + plan.left + plan.right, plan.result)


def _toward(g: Any, other: Any, x: Any, x_term: str, other_term: str, result: str) -> Any:
    """The gradient of one array of a pair: g times the other, with the letters of the one."""
    known = "".join(letter for letter in x_term if letter in result or letter in other_term)
    gx = einsum_pair(g, other, subscripts=f"{result},{other_term}->{known}")
    return gx if known == x_term else _spread(gx, known, x_term, x.shape)


def _left(g, out, a, b, subscripts):
    terms, result = subscripts.split("->")
    return _toward(g, b, a, *terms.split(","), result)


def _right(g, out, a, b, subscripts):
    terms, result = subscripts.split("->")
    return _toward(g, a, b, *terms.split(",")[::-1], result)


einsum_pair.defvjp(_left, _right)


# --------------------------------------------------------------------------------------------- any number


@expression(cases=[])
def einsum(subscripts, *operands, optimize=True):
    """Einstein sum: ``einsum("ij,jk->ik", a, b)`` multiplies arrays along named axes, and sums over names that the result leaves out.

    Without ``->`` the result has the letters that come once, in alphabetical order. ``...`` stands for further axes, which broadcast.
    A letter twice in one array means its diagonal. The other way to write it, ``einsum(a, [0, 1], b, [1, 2], [0, 2])``, works too.
    Several arrays are multiplied two at a time, in a cheap order unless ``optimize=False``; a path of ``np.einsum_path`` is taken as given.

    Slope: for each array, the Einstein sum of the gradient with the other arrays.

    Raises ``ValueError`` if letters and axes do not fit.

    >>> einsum("ij,jk->ik", Tensor([[1.0, 2.0]]), Tensor([[3.0], [4.0]]))
    Tensor([[11.]])
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _letters_for_numbers(subscripts, *operands)
    arrays = [as_array(x) for x in operands]
    if not arrays:
        raise ValueError(f"einsum: there is no array to go with {subscripts!r}.")
    terms, result = _read(subscripts.replace(" ", ""), tuple(x.ndim for x in arrays))
    shapes = tuple(x.shape for x in arrays)
    sizes = _sizes(terms, shapes, subscripts)
    pairs = [_without_stretched(x, term, sizes) for x, term in zip(arrays, terms, strict=True)]
    path = _path(tuple(t for _, t in pairs), result, tuple(x.shape for x, _ in pairs), _hashable(optimize))
    return _follow(path, [_without_twins(x, term) for x, term in pairs], result)


def _hashable(optimize: Any) -> Any:
    return tuple(optimize) if isinstance(optimize, list) else optimize


def _letters_for_numbers(*arguments: Any) -> tuple[str, tuple[Any, ...]]:
    """einsum(a, [0, 1], …, [0]) as letters: a before them, and the arrays."""

    def letters(numbers: Sequence[Any]) -> str:
        return "".join("..." if n is Ellipsis else ascii_letters[n] for n in numbers)

    count = len(arguments) // 2
    terms = ",".join(letters(arguments[2 * i + 1]) for i in range(count))
    if len(arguments) % 2:
        terms += "->" + letters(arguments[-1])
    return terms, tuple(arguments[2 * i] for i in range(count))


@lru_cache(maxsize=1024)
def _read(subscripts: str, axes: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """The letters of each array and of the result, with ``...`` spelled out and the result always given."""
    given, arrow, after = subscripts.partition("->")
    terms = given.split(",")
    if len(terms) != len(axes):
        raise ValueError(f"einsum: {subscripts!r} names {len(terms)} arrays, and {len(axes)} came.")
    unused = [x for x in ascii_letters if x not in subscripts]
    dots = max([n - len(t) + 3 for t, n in zip(terms, axes, strict=True) if "..." in t], default=0)
    spelled = "".join(unused[: max(dots, 0)])
    found = []
    for term, n in zip(terms, axes, strict=True):
        more = n - len(term) + 3 if "..." in term else 0
        full = term.replace("...", spelled[len(spelled) - more :] if more > 0 else "", 1)
        if len(full) != n or not all(x in ascii_letters for x in full):
            raise ValueError(f"einsum: the letters {term!r} of {subscripts!r} belong to an array with {n} axes; give one letter for each axis.")
        found.append(full)
    letters = "".join(found)
    once = "".join(sorted(x for x in set(letters) if letters.count(x) == 1 and x not in spelled))
    result = after.replace("...", spelled, 1) if arrow else spelled + once
    if len(set(result)) < len(result) or not set(result) <= set(letters):
        raise ValueError(f"einsum: the result {after!r} of {subscripts!r} must name letters of the arrays, each once.")
    return tuple(found), result


def _sizes(terms: Sequence[str], shapes: Sequence[tuple[int, ...]], subscripts: str) -> dict[str, int]:
    """The size of each letter: 1 gives way to any other."""
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            known = sizes.setdefault(letter, n)
            if n != known and 1 not in (n, known):
                raise ValueError(
                    f"einsum: in {subscripts!r} the letter {letter!r} names axes of sizes {known} and {n}, but the sizes of one letter must be "
                    f"equal. The shapes are {', '.join(map(str, shapes))}."
                )
            sizes[letter] = n if known == 1 else known
    return sizes


def _without_stretched(x: Any, term: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """x without the axes of size 1 that meet larger ones elsewhere: they broadcast by being absent."""
    kept = [i for i, letter in enumerate(term) if x.shape[i] == sizes[letter]]
    if len(kept) == len(term):
        return x, term
    if any(term.count(letter) > 1 for letter in term):
        raise ValueError(f"einsum: the axes {term!r} of an array of shape {x.shape} must have equal sizes to have a diagonal.")
    return reshape(x, shape=tuple(x.shape[i] for i in kept)), "".join(term[i] for i in kept)


def _without_twins(x: Any, term: str) -> tuple[Any, str]:
    """x with the diagonal of letters that come twice."""
    single = "".join(dict.fromkeys(term))
    return (x, term) if single == term else (einsum_single(x, subscripts=f"{term}->{single}"), single)


@lru_cache(maxsize=256)
def _path(terms: tuple[str, ...], result: str, shapes: tuple[tuple[int, ...], ...], optimize: Any) -> tuple[tuple[int, ...], ...]:
    """Which arrays to multiply, step by step; each product goes to the end of the list."""
    if len(terms) < 3:
        return (tuple(range(len(terms))),)
    if optimize is False or optimize is None:
        return ((0, 1), *((0, n) for n in range(len(terms) - 2, 0, -1)))
    stand_ins = [np.broadcast_to(np.zeros(()), shape) for shape in shapes]
    wanted = list(optimize) if isinstance(optimize, tuple) and optimize[0] == "einsum_path" else optimize
    return tuple(np.einsum_path(f"{','.join(terms)}->{result}", *stand_ins, optimize=wanted)[0][1:])


def _follow(path: Sequence[tuple[int, ...]], pairs: list[tuple[Any, str]], result: str) -> Any:
    for step in path:
        chosen = [pairs[i] for i in sorted(step)]
        for i in sorted(step, reverse=True):
            del pairs[i]
        x, term = chosen[0]
        for k, (y, other) in enumerate(chosen[1:], 2):
            waiting = result + "".join(t for _, t in pairs) + "".join(t for _, t in chosen[k:])
            last = not pairs and k == len(chosen)
            after = result if last else "".join(letter for letter in dict.fromkeys(term + other) if letter in waiting)
            x, term = einsum_pair(x, y, subscripts=f"{term},{other}->{after}"), after
        pairs.append((x, term))
    x, term = pairs[0]
    return x if term == result and len(path[-1]) > 1 else einsum_single(x, subscripts=f"{term}->{result}")
