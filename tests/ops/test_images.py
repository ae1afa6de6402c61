"""Channels dealt out anew: PyTorch's values and derivatives, and what is refused."""

import numpy as np
import pytest
from torch_twin import agree

import tinygrad_reg as tg


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", [(2, 6, 4), (1, 6, 2, 3), (2, 6, 1, 2, 2)])
def test_channels_are_dealt_out_as_by_pytorch(shape, groups, rng):
    agree(lambda x: tg.channel_shuffle(x, groups), lambda functional, x: functional.channel_shuffle(x, groups), rng.normal(size=shape))


def test_groups_must_divide_the_channels():
    with pytest.raises(ValueError, match=r"channel_shuffle: x of shape \(1, 5, 2\) needs an axis 1 that groups=2 divides"):
        tg.channel_shuffle(np.ones((1, 5, 2)), 2)
