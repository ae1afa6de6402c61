"""Writes the Python function that replays a program with NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .elementwise import Elementwise
from .homes import Homes
from .liveness import VIEWS
from .passes.packing import PACK
from .program import STATE, Program, Step, Value
from .ufuncs import parts_of

__all__ = ["FOLDS", "Writer"]

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
FOLDS = {"sum": np.add.reduce, "max": np.maximum.reduce, "min": np.minimum.reduce, "prod": np.multiply.reduce}
_FEW = 1 << 12  # elements


class Writer(Elementwise):
    """Goes through the steps once and writes a line or two for each."""

    def __init__(self, program: Program, homes: Homes) -> None:
        super().__init__(program, homes)
        self._steps()
        self._finish()

    def _steps(self) -> None:
        for i, step in enumerate(self.program.steps):
            self._step(i, step)
            self._release(i, step)

    def text(self) -> str:
        """The function, as text."""
        return "\n    ".join([f"def replay({', '.join(self.parameters)}):", *self.lines])

    def function(self, **more: Any) -> Callable[..., Any]:
        """The function itself."""
        space = {**self.bound, **more}
        exec(compile(self.text(), "<program>", "exec"), space)
        return space["replay"]

    def _step(self, i: int, step: Step) -> None:
        if step.op is PACK:
            self._pack(step)
            return
        if step.op.name in VIEWS and id(step.inputs[0]) in self.arrays and step.op.name != "class_labels" and self._view(step):
            return
        if not step.out.shape or step.out.parts:
            self._scalar(step)
        elif step.op.name == "permute_dims" and len(step.out.shape) == 2 and step.settings["axes"] in (None, (1, 0)):
            self._set(step.out, f"{self.names[id(step.inputs[0])]}.T")
        elif (
            step.op.name == "matmul" and all(len(x.shape) in (1, 2) and x.dtype == step.out.dtype for x in step.inputs) and step.out.dtype.kind == "f"
        ):
            self._call(np.dot, [self.names[id(x)] for x in step.inputs], step.out)
        elif step.op.name in FOLDS and step.settings.get("dtype") is None and step.out.dtype == step.inputs[0].dtype:
            self._fold(step)
        elif len(parts := parts_of(step) or ()) == 1:
            self._elementwise(i, step, parts[0])
        else:
            self._generic(step)

    def _view(self, step: Step) -> bool:
        """Whether the result is a view of memory that stays: then it is made here and now."""
        array = self.arrays[id(step.inputs[0])]
        seen: Any = step.op.forward(array, **step.settings) if len(step.inputs) == 1 else None
        if not isinstance(seen, np.ndarray) or not np.may_share_memory(seen, array) or seen.shape != step.out.shape:
            return False
        self._fix(step.out, seen, "w")
        return True

    def _scalar(self, step: Step) -> None:
        names, infix = [self.names[id(x)] for x in step.inputs], _INFIX.get(step.op.name)
        if infix and all(x.shape == () for x in step.inputs):
            self._set(step.out, f"{names[0]} {infix} {names[1]}")
        elif step.op.name == "sum_of_squares" and self._is_float(step) and (flat := self._flat(step.inputs[0])):
            self._set(step.out, f"{names[1]} * {self._function(np.dot, 'dot')}({flat}, {flat})")
        elif step.op.name == "sum" and self._is_float(step) and step.settings.get("dtype") is None and (flat := self._flat(step.inputs[0])):
            self._set(step.out, self._sum(flat, step.inputs[0]))
        else:
            self._generic(step)

    def _is_float(self, step: Step) -> bool:
        x = step.inputs[0]
        return x.dtype == step.out.dtype and x.dtype.kind == "f" and x.dtype.itemsize > 2 and x.shape != ()

    def _sum(self, flat: str, x: Value) -> str:
        if x.size <= _FEW:  # BLAS is quicker, but adds in a less exact order
            return f"{self._function(np.dot, 'dot')}({self._name(np.ones(x.size, x.dtype), 'c')}, {flat})"
        return f"{self._function(FOLDS['sum'], 'sum_')}({flat})"

    def _flat(self, x: Value) -> str | None:
        """All elements in one row, if that can be had without a copy."""
        array = self.arrays.get(id(x))
        if len(x.shape) == 1:
            return self.names[id(x)]
        return self._name(array.reshape(-1), "w") if array is not None and array.flags.c_contiguous else None

    def _generic(self, step: Step) -> None:
        settings = [f"{key}={self._name(value, 'k')}" for key, value in step.settings.items()]
        f = self._function(step.op.forward, step.op.name)
        self._set(step.out, f"{f}({', '.join([*(self.names[id(x)] for x in step.inputs), *settings])})")

    def _fold(self, step: Step) -> None:
        x, axis = step.inputs[0], step.settings["axis"]
        if step.op.name == "sum" and axis in (0, (0,)) and len(x.shape) == 2 and not step.settings["keepdims"] and x.dtype.kind == "f":
            self._call(np.dot, [self._name(np.ones(x.shape[0], x.dtype), "c"), self.names[id(x)]], step.out)  # BLAS adds rows faster
            return
        self._take(step.out)
        f = self._function(FOLDS[step.op.name], f"{step.op.name}_")
        keepdims = ", True" if step.settings["keepdims"] else ""
        self.lines.append(f"{f}({self.names[id(x)]}, {self._name(axis, 'k')}, None, {self.names[id(step.out)]}{keepdims})")

    def _pack(self, step: Step) -> None:
        for x in step.inputs:
            if self.arrays.get(id(x)) is not self.home[id(x)]:  # it was not computed in its place
                self.lines.append(f"{self._function(np.copyto, 'copyto')}({self._name(self.home[id(x)], 'b')}, {self.names[id(x)]})")

    def _finish(self) -> None:
        """Results are copied before states change, and states that need each other's old values before any of them does."""
        grads = [value for _, value in self.program.gradients if value is not None]
        results = [f"owned({self.names[id(x)]})" for x in (*self.program.results, *grads)]
        late = [(s, v) for s, v in self.program.assigned if id(v) not in self.home or self.home[id(v)] is not self.arrays.get(id(s))]
        late = [(s, v) for s, v in late if id(s) in self.arrays]
        if late:
            self.lines.append(f"results = ({''.join(f'{x}, ' for x in results)})")
            states = {id(x) for x in self.program.of_kind(STATE)}
            news: list[tuple[Value, str]] = []
            for state, value in late:
                new = self.names[id(value)]
                if self.live.lies_in[id(value)] & (states - {id(state)}):
                    self.lines.append(f"{(kept := f'new{len(news)}')} = owned({new})")
                    new = kept
                news.append((state, new))
            for state, new in news:
                self.lines.append(f"{self.places[id(state)]}[...] = {new}")
            self.lines.append("return results")
        else:
            self.lines.append(f"return ({''.join(f'{x}, ' for x in results)})".replace(", )", ",)"))
