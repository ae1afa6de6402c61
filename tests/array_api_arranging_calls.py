"""Drawn calls of the functions of the standard that arrange, search, sort and add up."""

import hypothesis.extra.numpy as hnp
import numpy as np
from array_api_calls import (
    ANY,
    NUMBERS,
    REAL,
    SIGNED,
    WHOLE,
    array,
    axes,
    axis,
    calls,
    few,
    number,
    on,
    promoted,
    shape_of,
    shapes_that_fit,
    some,
    wider,
)
from hypothesis import strategies as st

# ---------------------------------------------------------------------------------------------------- shapes


def several(draw):
    """One to four dtypes that go together."""
    return draw(st.lists(st.sampled_from(promoted(draw, ANY)), min_size=1, max_size=4))


@calls("broadcast_arrays")
def _(draw):
    return tuple(array(draw, ANY, shape) for shape in shapes_that_fit(draw, draw(st.integers(1, 4)))), {}


@calls("broadcast_to")
def _(draw):
    first, last = shapes_that_fit(draw, 2)
    return (array(draw, ANY, first), last), {}


@calls("concat")
def _(draw):
    shape = list(shape_of(draw, min_dims=1))
    along = draw(st.none() | st.integers(-len(shape), len(shape) - 1))
    arrays = []
    for dtype in several(draw):
        shape = list(shape_of(draw)) if along is None else shape
        if along is not None:
            shape[along] = draw(st.integers(0, 3))
        arrays.append(array(draw, dtype, tuple(shape)))
    settings = {} if along == 0 and draw(st.booleans()) else {"axis": along}
    return (arrays if draw(st.booleans()) else tuple(arrays),), settings


@calls("stack")
def _(draw):
    shape = shape_of(draw)
    return ([array(draw, dtype, shape) for dtype in several(draw)],), some(draw, axis=st.integers(-len(shape) - 1, len(shape)))


@calls("expand_dims")
def _(draw):
    x = array(draw)
    return (x,), {"axis": draw(st.integers(-x.ndim - 3, x.ndim + 2))}


@calls("flip")
def _(draw):
    x = array(draw)
    return on(draw, x, axis=axes(x))


@calls("moveaxis")
def _(draw):
    x = array(draw, min_dims=1)
    if draw(st.booleans()):
        return (x, draw(axis(x)), draw(axis(x))), {}
    count = draw(st.integers(0, x.ndim))
    return (x, *(tuple(draw(st.permutations(range(-x.ndim, 0)))[:count]) for _ in range(2))), {}


@calls("permute_dims")
def _(draw):
    x = array(draw)
    return (x,), {"axes": tuple(draw(st.permutations(range(x.ndim))))}


@calls("repeat")
def _(draw):
    x = array(draw)
    if draw(st.booleans()):
        return on(draw, x, draw(st.integers(0, 3)), axis=axis(x))
    along = draw(st.none() | axis(x))
    count = draw(st.sampled_from([1, x.size if along is None else x.shape[along]]))
    return (x, draw(hnp.arrays(draw(st.sampled_from(SIGNED)), count, elements=st.integers(0, 3)))), {"axis": along}


@calls("reshape")
def _(draw):
    x = array(draw)
    shape = tuple(draw(st.permutations(x.shape + (1,) * draw(st.integers(0, 2)))))
    return on(draw, x, shape if draw(st.booleans()) else (-1,), copy=st.none() | st.booleans())


@calls("roll")
def _(draw):
    x = array(draw)
    if not x.ndim or draw(st.booleans()):
        return on(draw, x, draw(st.integers(-9, 9)), axis=axis(x))
    along = draw(hnp.valid_tuple_axes(x.ndim, min_size=1))
    return (x, tuple(draw(st.integers(-9, 9)) for _ in along)), {"axis": along}


@calls("squeeze")
def _(draw):
    x = array(draw, ANY, draw(hnp.array_shapes(min_dims=1, max_dims=4, max_side=2)))
    return (x, draw(axes(x).filter(lambda a: a is not None))), {}


@calls("tile")
def _(draw):
    x = array(draw)
    return (x, tuple(draw(st.lists(st.integers(0, 3), max_size=x.ndim + 2)))), {}


@calls("unstack")
def _(draw):
    x = array(draw, min_dims=1)
    return on(draw, x, axis=axis(x))


# ----------------------------------------------------------------------------------- searching, sorting, sets


@calls("argmax", "argmin")
def _(draw):
    x = array(draw, REAL, min_side=1)
    return on(draw, x, axis=st.none() | axis(x), keepdims=st.booleans())


@calls("count_nonzero")
def _(draw):
    x = array(draw)
    return on(draw, x, axis=axes(x), keepdims=st.booleans())


@calls("nonzero", "unique_all", "unique_counts", "unique_inverse", "unique_values")
def _(draw):
    return (array(draw, elements=few if draw(st.booleans()) else None),), {}


@calls("searchsorted")
def _(draw):
    x = array(draw, REAL, min_dims=1, max_dims=1)
    order = np.argsort(x)
    given = {"sorter": order} if draw(st.booleans()) else {}
    return (x if given else x[order], array(draw, x.dtype)), {**given, **some(draw, side=st.sampled_from(["left", "right"]))}


@calls("where")
def _(draw):
    shapes = shapes_that_fit(draw, 3)
    arrays = [array(draw, d, s, None) for d, s in zip((np.dtype("bool"), *promoted(draw, ANY)), shapes, strict=True)]
    if draw(st.booleans()):
        arrays[draw(st.integers(1, 2))] = number(draw, min(arrays[1].dtype, arrays[2].dtype))
    return tuple(arrays), {}


@calls("sort", "argsort")
def _(draw):
    x = array(draw, REAL, min_dims=1, elements=few if draw(st.booleans()) else None)
    return (x,), {"stable": True, **some(draw, axis=axis(x))}


@calls("take")
def _(draw):
    x = array(draw, min_dims=1, min_side=1)
    along = draw(axis(x))
    dtype = np.dtype(draw(st.sampled_from(WHOLE)))
    least = 0 if dtype.kind == "u" else -x.shape[along]
    places = draw(hnp.arrays(dtype, draw(st.integers(0, 4)), elements=st.integers(least, x.shape[along] - 1)))
    return (x, places), {} if x.ndim == 1 and draw(st.booleans()) else {"axis": along}


@calls("take_along_axis")
def _(draw):
    x = array(draw, min_dims=1, min_side=1)
    along = draw(axis(x))
    shape = [draw(st.sampled_from([n, 1])) for n in x.shape]
    shape[along] = draw(st.integers(0, 4))
    return (x, draw(hnp.arrays("int64", tuple(shape), elements=st.integers(-x.shape[along], x.shape[along] - 1)))), {"axis": along}


# ---------------------------------------------------------------------------------------------- sums and the like


@calls("sum", "prod")
def _(draw):
    x = array(draw, NUMBERS)
    return on(draw, x, axis=axes(x), keepdims=st.booleans(), dtype=wider(x))


@calls("max", "min")
def _(draw):
    x = array(draw, REAL, elements=None)
    return on(draw, x, axis=axes(x), keepdims=st.booleans())


@calls("mean")
def _(draw):
    x = array(draw, "fc")
    return on(draw, x, axis=axes(x), keepdims=st.booleans())


@calls("std", "var")
def _(draw):
    x = array(draw, "f")
    return on(draw, x, axis=axes(x), keepdims=st.booleans(), correction=st.floats(0, 5) | st.integers(0, 5))


@calls("all", "any")
def _(draw):
    x = array(draw, elements=None)
    return on(draw, x, axis=axes(x), keepdims=st.booleans())


@calls("cumulative_sum", "cumulative_prod")
def _(draw):
    x = array(draw, NUMBERS)
    along = {} if x.ndim == 1 and draw(st.booleans()) else {"axis": draw(axis(x))}
    return (x,), {**along, **some(draw, include_initial=st.booleans(), dtype=wider(x))}


@calls("diff")
def _(draw):
    x = array(draw, min_dims=1)
    settings = some(draw, axis=axis(x), n=st.integers(0, 4))
    shape = list(x.shape)
    shape[settings.get("axis", -1)] = draw(st.integers(0, 3))
    return (x,), {**settings, **some(draw, prepend=hnp.arrays(x.dtype, tuple(shape)), append=hnp.arrays(x.dtype, tuple(shape)))}
