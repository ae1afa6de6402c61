"""How many threads matrix products use: chosen by the user, or one while a small compiled loop runs."""

import builtins
import importlib.util

import pytest

import tinygrad_reg as tg
from tinygrad_reg import threads

needs_threadpoolctl = pytest.mark.skipif(importlib.util.find_spec("threadpoolctl") is None, reason="needs the extra [fast]")


@pytest.fixture
def nothing_chosen(monkeypatch):
    """As in a process where nobody has said anything about threads."""
    for name in threads._VARIABLES:
        monkeypatch.delenv(name, raising=False)
    chosen = list(threads._chosen)
    threads._chosen.clear()
    before = tg.num_threads()
    yield
    tg.set_num_threads(before)
    threads._chosen[:] = chosen


@needs_threadpoolctl
@pytest.mark.usefixtures("nothing_chosen")
def test_the_number_is_set_and_told():
    for n in (1, 2, 1):
        tg.set_num_threads(n)
        assert tg.num_threads() == n


@needs_threadpoolctl
@pytest.mark.usefixtures("nothing_chosen")
@pytest.mark.parametrize(("flops", "inside"), [(1000, 1), (1e9, 2)])
def test_small_work_is_done_by_one_thread(flops, inside):
    tg.set_num_threads(2)
    threads._chosen.clear()
    with threads.one_thread_if_small(flops):
        assert tg.num_threads() == inside
    assert tg.num_threads() == 2


@needs_threadpoolctl
@pytest.mark.usefixtures("nothing_chosen")
def test_what_the_user_has_chosen_counts(monkeypatch):
    tg.set_num_threads(2)
    with threads.one_thread_if_small(1000):
        assert tg.num_threads() == 2
    threads._chosen.clear()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with threads.one_thread_if_small(1000):
        assert tg.num_threads() == 2


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "2"])
def test_a_number_that_is_none(n):
    with pytest.raises(ValueError, match="whole number, at least 1"):
        tg.set_num_threads(n)


def test_without_the_extra(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "threadpoolctl":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ImportError, match=r"threadpoolctl, which is not installed: pip install 'tinygrad_reg\[fast\]'"):
        tg.set_num_threads(1)
    monkeypatch.setattr(threads, "_chosen", [])
    for name in threads._VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with threads.one_thread_if_small(1000):  # goes on without
        pass
