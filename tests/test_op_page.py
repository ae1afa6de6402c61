"""The page of all operations is that of the table, and says what it should."""

import re

import pytest
from numeric import call, leaves, sample, seeded
from op_page import PAGE, described, domain_text, page, rooms

import tinygrad_reg as tg
from tinygrad_reg.op import Op


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


def has_gradient(f):
    """Whether an op has a rule, or an expression a result that needs a gradient; without SciPy, what needs it is not asked."""
    if isinstance(f, Op):
        return f.differentiable
    try:
        return bool(f.cases) and call(f, leaves(sample(f, f.cases[0].shapes, seeded(f.name))), f.cases[0].settings).requires_grad
    except ImportError:
        return False


@pytest.mark.parametrize("f", [f for _, members in rooms() for f in members], ids=lambda f: f.name)
def test_what_has_a_gradient_says_its_slope(f):
    says_slope = re.search(r"(^|[.;] )Slopes?\b", described(f)[1])
    assert says_slope or not has_gradient(f)


@pytest.mark.usefixtures("own_ops")
def test_an_op_that_says_nothing_of_its_slope_does_not_get_onto_the_page():
    @tg.op()
    def thrice(x):
        """Three times x: the first sentence says what it is, and a derivative there does not count."""
        return x * 3

    with pytest.raises(ValueError, match=r"thrice: its description needs a sentence that starts with 'Slope'"):
        described(thrice)
