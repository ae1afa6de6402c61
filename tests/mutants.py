"""Wrong rules, made of right ones: what people do wrong when they derive a gradient, done on purpose to every rule of the table."""

import ast
import copy
import inspect
import sys

import numpy as np

from tinygrad_reg.testing.inputs import domains

THOUSANDTH = 1.001


def mutants(op, i):
    """Pairs of what is done to the rule of input i, and the wrong rule."""
    rule = _rule(op, i)
    yield "factor 1.001", _after(rule, lambda gx: gx * THOUSANDTH)
    yield "sign", _after(rule, lambda gx: -gx)
    yield "dropped altogether", lambda *a, **s: None
    yield "off at one index", _after(rule, _off_at_one)
    yield from _swapped(op, rule)
    yield from _of_other_arguments(op, i, rule)
    yield from _with_other_settings(op, rule)
    if any(d.kinks or d.ties for d in op.domain):
        yield "the other side of the kink", _mirrored(op, rule)
        yield "beyond both sides of the kink", _beyond(op, i, rule)
    yield from _of_the_source(op, i)


def _rule(op, i):
    return op.rules.rule if op.variadic else op.rules[i]


def installed(op, i, rule):
    """The op's rules with ``rule`` for input i."""
    if op.variadic:
        return type(op.rules)(rule)
    return tuple(rule if k == i else own for k, own in enumerate(op.rules))


def _after(rule, change):
    def wrong(*arguments, **settings):
        gx = rule(*arguments, **settings)
        return gx if gx is None or isinstance(gx, tuple) else change(gx)

    return wrong


def _data(x):
    return np.asarray(getattr(x, "_data", x))


def _off_at_one(gx):
    """By a thousandth at an entry of middling size."""
    sizes = np.abs(_data(gx)).reshape(-1)
    mask = np.ones(_data(gx).shape)
    order = [k for k in np.argsort(sizes) if sizes[k] > 0]
    if order:
        mask.reshape(-1)[order[len(order) // 2]] = THOUSANDTH
    return gx * mask


def _swapped(op, rule):
    """The rule with two of its arguments exchanged."""
    for k in range(1, 0 if op.variadic else op.arity):

        def wrong(g, out, *inputs, k=k, **settings):
            inputs = list(inputs)
            inputs[k - 1], inputs[k] = inputs[k], inputs[k - 1]
            return rule(g, out, *inputs, **settings)

        yield f"arguments {k - 1} and {k} swapped", wrong


def _of_other_arguments(op, i, rule):
    others = () if op.variadic else [k for k, other in enumerate(op.rules) if k != i and other is not None]
    for k in others:
        yield f"gradient of argument {k}", op.rules[k]
    if op.variadic:
        yield "gradient of the argument before", lambda *a, index, **s: rule(*a, index=max(index - 1, 0), **s)


def _with_other_settings(op, rule):
    if "axis" in op.setting_names:
        yield "another axis", lambda *a, axis, **s: rule(*a, axis=0 if axis not in (0, None) else -1, **s)
        yield "no axis", lambda *a, axis, **s: rule(*a, axis=None, **s)
    if "keepdims" in op.setting_names:
        yield "keepdims the other way", lambda *a, keepdims, **s: rule(*a, keepdims=not keepdims, **s)


def _mirrored(op, rule):
    """Each input seen from the other side of its kink; of ties, who loses wins."""

    def wrong(g, out, *inputs, **settings):
        found = [2 * (d.kinks[0] if d.kinks else 0.0) - x if d.kind == "real" and (d.kinks or d.ties) and x is not None else x
                 for x, d in zip(inputs, domains(op, len(inputs)), strict=True)]  # fmt: skip
        return rule(g, out, *found, **settings)

    return wrong


def _beyond(op, i, rule):
    """A slope at the kink that is no mixture of those on both sides: theirs, and 3 more."""

    def wrong(g, out, *inputs, **settings):
        gx = rule(g, out, *inputs, **settings)
        kinks = domains(op, len(inputs))[i].kinks
        if gx is None or isinstance(g, tuple) or np.shape(_data(inputs[i])) != np.shape(_data(gx)) or np.shape(_data(g)) != np.shape(_data(gx)):
            return gx
        return gx + g * (3.0 * np.isin(_data(inputs[i]), kinks))

    return wrong


# ------------------------------------------------------------------------------------- changes of the source


def _of_the_source(op, i):
    """The rule's own text with one term or factor left out, a difference or a quotient turned round, or a minus lost."""
    node, module = _source(op, i)
    if node is None:
        return
    total = sum(len(_variants(part)) for part in ast.walk(node))
    for n in range(total):
        changed, what = _Change(n).on(copy.deepcopy(node))
        try:
            yield what, _compiled(changed, module)
        except (SyntaxError, NameError):
            continue


def _source(op, i):
    """The syntax tree of a rule, a lambda or a function of its module; None where it comes from elsewhere."""
    module = sys.modules[op.forward.__module__]
    tree = ast.parse(inspect.getsource(module))
    functions = {part.name: part for part in tree.body if isinstance(part, ast.FunctionDef)}
    for call in ast.walk(tree):
        named = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "defvjp"
        if named and isinstance(call.func.value, ast.Name) and call.func.value.id == op.name and i < len(call.args):
            given = call.args[i]
            given = functions.get(given.id) if isinstance(given, ast.Name) else given
            return (given, module) if isinstance(given, (ast.Lambda, ast.FunctionDef)) else (None, module)
    return None, module


def _variants(node):
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        return ["left", "right"] + ["turned"] * isinstance(node.op, ast.Sub)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        return ["left", "right"] + ["turned"] * isinstance(node.op, ast.Div)
    return ["minus"] if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else []


class _Change(ast.NodeTransformer):
    def __init__(self, n):
        self.left = n
        self.what = ""

    def on(self, tree):
        return ast.fix_missing_locations(self.visit(tree)), self.what

    def generic_visit(self, node):
        for kind in _variants(node):
            if self.left == 0:
                self.left = -1
                self.what = f"{kind} of {ast.unparse(node)}"
                return _changed(node, kind)
            self.left -= 1
        return super().generic_visit(node)


def _changed(node, kind):
    if kind == "minus":
        return node.operand
    if kind == "turned":
        return ast.BinOp(node.right, node.op, node.left)
    return node.left if kind == "left" else node.right


def _compiled(node, module):
    names = dict(vars(module))
    if isinstance(node, ast.Lambda):
        return eval(compile(ast.fix_missing_locations(ast.Expression(node)), "<mutant>", "eval"), names)
    node.decorator_list = []
    exec(compile(ast.fix_missing_locations(ast.Module([node], [])), "<mutant>", "exec"), names)
    return names[node.name]


__all__ = ["installed", "mutants"]
