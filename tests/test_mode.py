"""Recording on and off: nested, decorated, in threads, generators and coroutines."""

import asyncio
import contextvars
import threading

import pytest

import tinygrad_reg as tg
from tinygrad_reg.mode import grad_enabled

X = tg.Tensor(2.0, requires_grad=True)


def recording():
    """Seen from the outside: whether a result remembers how it was made."""
    assert (X * X).requires_grad is grad_enabled()
    return grad_enabled()


def test_nothing_is_recorded_inside_and_all_is_outside():
    assert recording()
    with tg.no_grad():
        assert not recording()
    assert recording()


def test_modes_nest():
    with tg.no_grad():
        with tg.enable_grad():
            assert recording()
            with tg.no_grad():
                assert not recording()
            assert recording()
        assert not recording()
    assert recording()


def test_one_mode_object_can_be_entered_again_also_inside_itself():
    mode = tg.no_grad()
    with mode:
        with mode:
            assert not recording()
        assert not recording()
    assert recording()
    with mode:
        assert not recording()
    assert recording()


def test_an_error_inside_restores_the_mode():
    with pytest.raises(KeyError), tg.no_grad():
        raise KeyError
    assert recording()


def test_a_decorated_function():
    @tg.no_grad()
    def inside(x, *, y):
        """What it is for."""
        return recording(), x, y

    assert inside(1, y=2) == (False, 1, 2)
    assert inside.__doc__ == "What it is for."
    assert recording()
    with tg.no_grad():
        assert tg.enable_grad()(recording)() is True
        assert not recording()


def test_a_decorator_without_brackets():
    @tg.no_grad
    def inside():
        return recording()

    assert inside() is False
    assert inside.__name__ == "inside"


def test_a_decorated_method_and_a_recursive_function():
    class Evaluator:
        @tg.no_grad()
        def run(self, depth):
            return [recording()] if depth == 0 else [recording(), *self.run(depth - 1)]

    assert Evaluator().run(3) == [False] * 4
    assert recording()


# --------------------------------------------------------------------------------------- generators


def test_a_decorated_generator_does_not_leak_between_its_steps():
    @tg.no_grad()
    def steps():
        for _ in range(3):
            yield recording()
        return "done"

    seen = []
    for inside in steps():
        seen.append((inside, recording()))
    assert seen == [(False, True)] * 3


def test_the_callers_mode_does_not_leak_into_a_decorated_generator():
    @tg.enable_grad()
    def steps():
        while True:
            yield recording()

    generator = steps()
    with tg.no_grad():
        assert next(generator) is True
        assert not recording()
    assert next(generator) is True


def test_values_and_errors_can_be_sent_into_a_decorated_generator():
    @tg.no_grad()
    def steps():
        got = []
        try:
            while True:
                got.append((yield recording()))
        except KeyError:
            got.append(recording())
        return got

    generator = steps()
    assert next(generator) is False
    assert generator.send("a") is False
    with pytest.raises(StopIteration) as stop:
        generator.throw(KeyError)
    assert stop.value.value == ["a", False]
    assert recording()


def test_closing_a_decorated_generator_runs_its_end_inside_the_mode():
    seen = []

    @tg.no_grad()
    def steps():
        try:
            yield
        finally:
            seen.append(recording())

    generator = steps()
    next(generator)
    generator.close()
    assert seen == [False]
    assert recording()


def test_an_error_in_a_decorated_generator_restores_the_mode():
    @tg.no_grad()
    def steps():
        yield 1
        raise KeyError

    with pytest.raises(KeyError):
        list(steps())
    assert recording()


# ------------------------------------------------------------------------------- threads and coroutines


def test_each_thread_has_its_own_mode():
    seen, inside, done = [], threading.Event(), threading.Event()

    def other():
        seen.append(recording())  # a new thread starts by recording, whatever its maker's mode
        with tg.no_grad():
            inside.set()
            done.wait(10)
            seen.append(recording())

    with tg.no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(10)
    assert recording()
    done.set()
    thread.join()
    assert seen == [True, False]


def test_one_mode_object_shared_by_threads():
    mode, wrong = tg.no_grad(), []
    barrier = threading.Barrier(4)

    def work(outer):
        with outer():
            expected = recording()
            barrier.wait(10)
            for _ in range(200):
                with mode:
                    wrong.extend([1] * recording())
                wrong.extend([2] * (recording() is not expected))

    threads = [threading.Thread(target=work, args=(outer,)) for outer in (tg.no_grad, tg.enable_grad) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_coroutines_that_take_turns_do_not_disturb_each_other():
    @tg.no_grad()
    async def evaluating():
        seen = []
        for _ in range(3):
            seen.append(recording())
            await asyncio.sleep(0)
        return seen

    async def training():
        seen = []
        for _ in range(3):
            seen.append(recording())
            await asyncio.sleep(0)
        return seen

    async def both():
        return await asyncio.gather(evaluating(), training())

    assert asyncio.run(both()) == [[False] * 3, [True] * 3]


def test_one_mode_object_shared_by_tasks():
    mode = tg.no_grad()

    async def task(wait):
        with mode:
            await asyncio.sleep(wait)
            inside = recording()
        return inside, recording()

    async def both():
        return await asyncio.gather(task(0.002), task(0.001))

    assert asyncio.run(both()) == [(False, True)] * 2


def test_a_with_block_that_awaits():
    async def run():
        with tg.no_grad():
            await asyncio.sleep(0)
            inside = recording()
        return inside, recording()

    assert asyncio.run(run()) == (False, True)


def test_an_asynchronous_generator_is_refused_with_the_cure():
    async def steps():
        yield 1

    with pytest.raises(TypeError, match=r"no_grad: steps is an asynchronous generator; write `with no_grad\(\):`"):
        tg.no_grad()(steps)


def test_a_copied_context_keeps_the_mode_it_was_copied_in():
    with tg.no_grad():
        context = contextvars.copy_context()
    assert recording()
    assert context.run(recording) is False
