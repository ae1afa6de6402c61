"""A program draws: every step and every input is there, once, with its edges."""

import shutil

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg.compile.picture import picture

W = tg.tensor([1.0, 2.0], requires_grad=True, name='w "of" <b>\\n')


def a_step():
    step = tg.compile(lambda x: tg.optim.SGD([W], lr=0.5).minimize((W * x * x).sum()), backend="numpy")
    step(np.ones(2))
    return step


def test_every_step_and_input_is_drawn():
    step = a_step()
    source = step.program.picture().source
    assert source.count("shape=box") == len(step.program.steps)
    assert source.count("style=filled") == len(step.program.inputs) - sum(x.kind == "constant" for x in step.program.inputs)
    assert source.count("style=dashed") == 1  # w gets its new value
    assert source.count("->") == sum(x.kind != "constant" for s in step.program.steps for x in s.inputs) + 2
    assert "learning rate" in source


def test_the_text_is_the_same_twice():
    step = a_step()
    assert picture(step.program).source == picture(step.program).source


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program dot is not on the path")
def test_graphviz_takes_it():
    assert b"<svg" in a_step().program.picture().pipe("svg")
