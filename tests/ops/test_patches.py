"""Windows as columns and back: PyTorch's unfold and fold, each the other's mirror, and what is refused."""

import numpy as np
import pytest
from against_torch import assert_as_torch, drawn

import tinygrad_reg as tg

SETTINGS = [
    {"kernel_size": 2},
    {"kernel_size": (2, 3), "stride": (1, 2), "padding": 1},
    {"kernel_size": 3, "dilation": (1, 2), "padding": (0, 2)},
    {"kernel_size": 1, "stride": 2},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("shape", [(2, 3, 5, 6), (1, 4, 5)])
def test_columns_and_images_are_pytorchs(shape, settings):
    functional = pytest.importorskip("torch").nn.functional
    x = drawn(-1, 1, shape)
    assert_as_torch(lambda x: tg.im2col(x, **settings), lambda x: functional.unfold(x, **settings), x)
    columns = drawn(-1, 1, tg.im2col(x[0], **settings).shape)
    size = shape[-2:]
    assert_as_torch(lambda x: tg.fold(x, size, **settings), lambda x: functional.fold(x, size, **settings), columns)


def test_windows_that_do_not_overlap_come_back():
    x = np.arange(24.0).reshape(1, 1, 4, 6)
    np.testing.assert_array_equal(tg.fold(tg.im2col(x, 2, stride=2), (4, 6), 2, stride=2), x)
    assert tg.col2im is tg.fold


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"fold: x has shape \(1, 4, 5\); windows of 4 places over an image of \(3, 3\) make 4 columns"):
        tg.fold(np.ones((1, 4, 5)), (3, 3), 2)
    with pytest.raises(ValueError, match=r"im2col: a window of \(4, 4\).*does not fit"):
        tg.im2col(np.ones((1, 1, 3, 3)), 4)
    with pytest.raises(ValueError, match=r"fold: x has shape \(4,\); it needs 3 axes"):
        tg.fold(np.ones(4), (2, 2), 2)
