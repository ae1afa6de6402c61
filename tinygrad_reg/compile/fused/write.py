"""A plan as text: one function for each piece, in LLVM's language, and one that runs a function many times."""

from __future__ import annotations

from ..program import Value
from .code import Code, Word
from .loops import write_kernel
from .memory import Written
from .nodes import CHECK, PRODUCT
from .plan import Home, Piece, Plan
from .products import Blas, write_product

__all__ = ["program_text"]


def program_text(plan: Plan, blas: Blas | None, width_bytes: int) -> str:
    """All functions of a plan: ``piece0``, ``piece1``, …; each takes the table of addresses and returns 0, or which check failed."""
    declared: dict[str, str] = {}
    texts = []
    last = max((i for i, piece in enumerate(plan.pieces) if piece.call is None), default=None)
    for i, piece in enumerate(plan.pieces):
        if piece.call is None:
            texts.append(_function(plan, piece, f"piece{i}", plan.copies if i == last else [], blas, width_bytes, declared))
    return "\n\n".join(["\n".join(declared.values()), *texts, REPEAT])


def _function(
    plan: Plan, piece: Piece, name: str, copies: list[tuple[Home, Value]], blas: Blas | None, width_bytes: int, declared: dict[str, str]
) -> str:
    code = Code(width_bytes)
    pointers = _Pointers(plan, code)
    written = Written(pointers.of, plan.strides, {}, pointers.space)
    for kernel in piece.kernels:
        code.line(0, f"; {', '.join(node.step.op.name for node, _ in kernel.members)} over {' × '.join(map(str, kernel.extents)) or 'one'}")
        node = kernel.members[0][0]
        if kernel.kind == CHECK:
            _refuse_if(code, written.words[id(node.reads[0].source), ()], node.place)
        elif kernel.kind == PRODUCT:
            assert blas is not None
            write_product(code, written, node, blas)
        else:
            write_kernel(code, plan.schedule, written, kernel, plan.stored)
    for home, value in copies:
        _copy(code, pointers.at(home), pointers.of(value), value)
    declared |= code.declared
    body = "\n".join([*code.entry, "  br label %begin", "begin:", *code.levels[0], "  ret i64 0"])
    return f"define i64 @{name}(ptr %table) {{\nentry:\n{body}\n}}"


def _refuse_if(code: Code, bad: Word, place: int) -> None:
    """Leave the function where a check fails; nothing has been changed by then."""
    label = code.name("check")[1:]
    code.levels[0] += [f"  br i1 {bad.text}, label %{label}.bad, label %{label}.good", f"{label}.bad:", f"  ret i64 {place + 1}", f"{label}.good:"]


def _copy(code: Code, to: str, source: str, value: Value) -> None:
    code.declared["llvm.memcpy.p0.p0.i64"] = "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)"
    code.line(0, f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {source}, i64 {value.nbytes}, i1 false)")


class _Pointers:
    """Addresses of values, read from the table once, at the start of the function."""

    def __init__(self, plan: Plan, code: Code) -> None:
        self.plan = plan
        self.code = code
        self.names: dict[Home, str] = {}

    def of(self, value: Value) -> str:
        """The pointer to a value."""
        return self.at(self.plan.homes[id(value)])

    def at(self, home: Home) -> str:
        """The pointer to a place."""
        if home not in self.names:
            self.names[home] = self._new(home)
        return self.names[home]

    def _new(self, home: Home) -> str:
        if home.offset:
            return self.code.at_entry(f"getelementptr i8, ptr {self.at(Home(home.slot))}, i64 {home.offset}", "p")
        entry = self.code.at_entry(f"getelementptr ptr, ptr %table, i64 {home.slot}", "p")
        return self.code.at_entry(f"load ptr, ptr {entry}", "p")

    def space(self, size: int) -> str:
        """More scratch memory, for one purpose only."""
        offset = self.plan.scratch
        self.plan.scratch += -(-size // 64) * 64
        return self.at(Home(0, offset)) if offset else self.at(Home(0))


# Runs a function many times. After each run some addresses move on: ``moves`` holds pairs of an entry of the table and so many bytes.
REPEAT = """
define i64 @repeat(ptr %run, ptr %table, i64 %times, ptr %moves, i64 %count) {
entry:
  br label %again
again:
  %t = phi i64 [0, %entry], [%t.next, %done]
  %failed = call i64 %run(ptr %table)
  %bad = icmp ne i64 %failed, 0
  br i1 %bad, label %out, label %move
move:
  %k = phi i64 [0, %again], [%k.next, %moved]
  %more = icmp ult i64 %k, %count
  br i1 %more, label %moved, label %done
moved:
  %twice = shl i64 %k, 1
  %at = getelementptr i64, ptr %moves, i64 %twice
  %slot = load i64, ptr %at
  %by.at = getelementptr i64, ptr %at, i64 1
  %by = load i64, ptr %by.at
  %entry.at = getelementptr i64, ptr %table, i64 %slot
  %old = load i64, ptr %entry.at
  %new = add i64 %old, %by
  store i64 %new, ptr %entry.at
  %k.next = add i64 %k, 1
  br label %move
done:
  %t.next = add i64 %t, 1
  %again.more = icmp ult i64 %t.next, %times
  br i1 %again.more, label %again, label %out
out:
  ret i64 %failed
}"""
