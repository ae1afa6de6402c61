"""Machine code on disk: found by the next process, never taken when it is not what it should be."""

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="llvmlite, which comes with Numba (extra [fast]), is not installed")

from tinygrad_reg.compile.example import small
from tinygrad_reg.compile.fused import machine
from tinygrad_reg.compile.fused.replay import FusedReplay


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYGRAD_REG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def replay(factor=2.0):
    return FusedReplay(small(lambda x: x * factor + 1))


def result(made):
    return made.run([np.array([[1.0, 2.0], [3.0, 4.0]])], [])[0]


def test_the_second_time_it_is_there(folder):
    first = replay()
    assert not first.from_disk
    second = replay()
    assert second.from_disk
    np.testing.assert_array_equal(result(first), result(second))
    assert not replay(3.0).from_disk


def test_another_process_finds_it(folder):
    program = (
        "from tinygrad_reg.compile.example import small as s; from tinygrad_reg.compile.fused.replay import FusedReplay as F; import numpy as np;"
    )
    program += "f = F(s(lambda x: x * 2.0 + 1)); print(f.from_disk, f.run([np.ones((2, 2))], [])[0].sum())"
    for found in (False, True):
        run = subprocess.run([sys.executable, "-c", program], env=os.environ, capture_output=True, text=True, check=True)
        assert run.stdout == f"{found} 12.0\n"


def test_a_spoilt_file_is_not_used(folder):
    replay()
    (file,) = folder.glob("*.o")
    code = bytearray(file.read_bytes())
    code[len(code) // 2] ^= 255
    file.write_bytes(code)
    again = replay()
    assert not again.from_disk
    np.testing.assert_array_equal(result(again), [[3.0, 5.0], [7.0, 9.0]])
    assert replay().from_disk


def test_an_empty_file_is_not_used(folder):
    replay()
    (file,) = folder.glob("*.o")
    file.write_bytes(b"")
    assert not replay().from_disk


def test_no_half_files_are_left(folder):
    replay()
    assert [file.suffix for file in folder.iterdir()] == [".o"]


def test_a_folder_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TINYGRAD_REG_CACHE", str(tmp_path / "file" / "cache"))
    made = replay()
    assert not made.from_disk
    np.testing.assert_array_equal(result(made), [[3.0, 5.0], [7.0, 9.0]])
    assert not replay().from_disk


def test_nothing_is_written_unless_wanted(folder):
    FusedReplay(small(lambda x: x - 5.0), cache=False)
    assert not folder.exists()


def test_the_cache_does_not_grow_for_ever(folder, monkeypatch):
    monkeypatch.setattr(machine, "MOST_FILES", 4)
    for factor in range(4):
        replay(float(factor))
    for file in folder.glob("*.o"):
        os.utime(file, (0, 0))
    assert replay(2.0).from_disk  # used just now
    replay(10.0)
    assert len(list(folder.glob("*.o"))) == 4
    assert replay(2.0).from_disk and replay(10.0).from_disk
