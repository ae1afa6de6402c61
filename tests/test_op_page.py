"""The page of all operations is that of the table, and says what it should."""

import pytest
from op_page import PAGE, described, domain_text, page, rooms

import tinygrad_reg as tg


def test_the_page_is_current():
    if PAGE.read_text(encoding="utf-8") != page():
        pytest.fail(f"{PAGE.name} is not that of the table. Write it anew: python tests/op_page.py")


def test_every_op_has_one_row_and_no_user_op_has():
    names = [f.name for _, members in rooms() for f in members]
    assert len(names) == len(set(names))
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) == len(names)
    assert all(line.count(" | ") == 4 for line in rows)


@pytest.mark.usefixtures("own_ops")
def test_a_users_op_is_not_on_the_page():
    before = page()

    @tg.op()
    def thrice(x):
        return x * 3

    assert page() == before


def test_what_a_row_says():
    assert described(tg.relu) == ("Rectifier: x where positive, else 0.", "Slope: 1 or 0, and 0 at the kink x = 0.")
    assert domain_text(tg.relu) == "all numbers, kinks at 0"
    assert domain_text(tg.divide) == "a: all numbers; b: x > 0"
    assert domain_text(tg.where) == "condition: yes or no; a: all numbers; b: all numbers"
    assert domain_text(tg.maximum) == "all numbers, kinks where equal"
    assert domain_text(tg.log1p) == "x > -1"
