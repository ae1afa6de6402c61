"""One set of tests for all penalties: the value, the proximal step, the certificate of optimality, the largest λ that matters."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_reg as tg
from tinygrad_reg.penalties import L0, L1, L2, MCP, SCAD, Box, ElasticNet, GroupL2, MaxNorm, NonNegative, Nuclear, TotalVariation

GROUPS = ((0, 5, 7), (1, 2), (3, 4, 6, 8), (9,), (10, 11))
PENALTIES = {
    "L1": L1(0.5),
    "L2": L2(0.5),
    "ElasticNet": ElasticNet(0.5, 0.25),
    "NonNegative": NonNegative(),
    "Box": Box(-0.5, 1.0),
    "L0": L0(0.5),
    "MCP": MCP(0.5, gamma=3.0),
    "SCAD": SCAD(0.5),
    "GroupL2, all": GroupL2(0.5),
    "GroupL2, rows": GroupL2(0.5, axis=1),
    "GroupL2, columns with sizes": GroupL2(0.5, axis=0, sizes=True),
    "GroupL2, places": GroupL2(0.5, groups=GROUPS),
    "GroupL2, places with sizes": GroupL2(0.5, groups=GROUPS, sizes=True),
    "MaxNorm": MaxNorm(1.0, axis=1),
    "TotalVariation": TotalVariation(0.5),
    "Nuclear": Nuclear(0.5),
}
ALL = pytest.mark.parametrize("p", PENALTIES.values(), ids=PENALTIES)
NUMBERS = st.sampled_from([0.0, 0.5, -0.5, 1.0, 2.0]) | st.floats(-4, 4).map(lambda x: round(x, 3))
MATRICES = hnp.arrays(np.float64, (4, 3), elements=NUMBERS)
STEPS = st.sampled_from([0.25, 1.0, 1.5])


def goal(p, x, v, step):
    return float(((x - v) ** 2).sum() / (2 * step) + p(x))


@ALL
@given(v=MATRICES, step=STEPS, seed=st.integers(0, 1000))
def test_prox_is_the_lowest_point(p, v, step, seed):
    x = np.asarray(p.prox(v, step))
    lowest, rng = goal(p, x, v, step), np.random.default_rng(seed)
    for size in (1e-3, 0.1, 1.0):
        other = x + size * rng.normal(size=x.shape) * (rng.random(x.shape) < 0.5)
        assert goal(p, other, v, step) >= lowest - 1e-12
    for other in (v, np.zeros_like(v), x * 0.99, x * 1.01):
        assert goal(p, other, v, step) >= lowest - 1e-12


@pytest.mark.parametrize("p", [p for name, p in PENALTIES.items() if "," not in name and name not in ("MaxNorm", "Nuclear")], ids=str)
@pytest.mark.parametrize("v", [-2.0, -0.6, -0.1, 0.0, 0.3, 0.5, 0.9, 1.4, 1.9, 3.0])
@pytest.mark.parametrize("step", [0.3, 1.0, 1.5])
def test_prox_on_a_fine_grid(p, v, step):
    grid = np.linspace(-4, 4, 1601)
    lowest = min(goal(p, np.array([x]), np.array([v]), step) for x in grid)
    found = goal(p, np.asarray(p.prox(np.array([v]), step)), np.array([v]), step)
    assert found <= lowest + 1e-12
    assert found >= lowest - 1e-4


@ALL
@given(v=MATRICES, step=STEPS)
def test_the_certificate_holds_where_prox_ends(p, v, step):
    """x = prox(v) is the optimum of ½|x - v|²/step + p, whose smooth part has the gradient (x - v)/step."""
    x = np.asarray(p.prox(v, step))
    assert p.distance(x, (x - v) / step) <= 1e-10


@ALL
@given(v=MATRICES, step=STEPS)
def test_the_certificate_refuses_other_points(p, v, step):
    if not p.convex:
        return
    x = np.asarray(p.prox(v, step)) + 0.1
    assert p.distance(x, (x - v) / step) >= 0.01


@pytest.mark.parametrize("p", [p for p in PENALTIES.values() if p.convex], ids=str)
@given(a=MATRICES, b=MATRICES, step=STEPS)
def test_prox_does_not_expand(p, a, b, step):
    moved = np.linalg.norm(np.asarray(p.prox(a, step)) - np.asarray(p.prox(b, step)))
    assert moved <= np.linalg.norm(a - b) * (1 + 1e-12) + 1e-12


@pytest.mark.parametrize("name", [name for name in PENALTIES if name not in ("NonNegative", "Box", "MaxNorm", "L0")])
@given(w=hnp.arrays(np.float64, (4, 3), elements=st.floats(0.05, 0.45) | st.floats(2.5, 4.0)), signs=hnp.arrays(bool, (4, 3)))
def test_the_gradient_is_the_residual_where_it_is_smooth(name, w, signs):
    p, values = PENALTIES[name], np.where(signs, w, -w) + np.arange(12).reshape(4, 3) * 1e-3
    if name == "Nuclear" and np.linalg.svd(values)[1][-1] < 1e-3:
        return
    leaf = tg.tensor(values, requires_grad=True)
    slope = tg.grad(p(leaf), leaf).data
    assert p.distance(values, -slope) <= 1e-9
    if slope.any():
        assert p.distance(values, -1.001 * slope) > 1e-7  # a slope wrong by 0.1 % is noticed


@pytest.mark.parametrize(
    "name", ["L1", "ElasticNet", "MCP", "SCAD", "GroupL2, all", "GroupL2, rows", "GroupL2, columns with sizes", "GroupL2, places", "Nuclear"]
)
def test_lambda_max(name):
    """Just above it all is 0 at the optimum of ½|w - b|² + p(w), and just below not."""
    b = np.random.default_rng(0).normal(size=(4, 3))
    p = PENALTIES[name]
    most = p.lambda_max(-b)
    for factor, zero in ((1.001, True), (0.99, False)):
        lam = most * factor
        kind = type(p)
        made = kind(lam, p.l2) if kind is ElasticNet else kind(lam, axis=p.axis, groups=p.groups, sizes=p.sizes) if kind is GroupL2 else kind(lam)
        assert (not np.asarray(made.prox(b, 1.0)).any()) == zero
    assert L2(1.0).lambda_max(b) == np.inf


def test_zeros_are_exact():
    v = np.array([[0.4, -0.2], [3.0, 4.0]])
    assert np.count_nonzero(L1(0.5).prox(v, 1.0) == 0) == 2
    assert np.count_nonzero(np.asarray(GroupL2(0.5, axis=1).prox(v, 1.0)) == 0) == 2
    assert np.linalg.matrix_rank(np.asarray(Nuclear(0.5).prox(v, 1.0)), tol=1e-12) == 1


@ALL
@pytest.mark.parametrize("shape", [(0, 3), (1, 1)])
def test_small_shapes(p, shape):
    if isinstance(p, GroupL2) and p.groups is not None:
        pytest.skip("its groups are those of twelve elements")
    w = np.full(shape, 0.75)
    assert np.asarray(p.prox(w, 1.0)).shape == shape
    assert np.isfinite(p.distance(w, w)) or isinstance(p, Box)


@ALL
def test_single_precision_stays(p):
    v = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    assert np.asarray(p.prox(v, 0.5)).dtype == np.float32


@pytest.mark.parametrize("p", [p for p in PENALTIES.values() if not isinstance(p, (TotalVariation, Nuclear))], ids=str)
def test_prox_of_a_tensor(p, backend):
    v = np.random.default_rng(0).normal(size=(4, 3))
    compiled = tg.compile(lambda x: p.prox(x, 0.5), backend=backend, wait=True)
    for scale in (1.0, 2.0, 3.0):
        np.testing.assert_allclose(compiled(v * scale).data, np.asarray(p.prox(v * scale, 0.5)), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("lam", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize(
    "kind", [L1, L2, L0, MCP, SCAD, GroupL2, TotalVariation, Nuclear, lambda lam: ElasticNet(lam, 0.1), lambda lam: ElasticNet(0.1, lam)]
)
def test_a_strength_that_is_none(kind, lam):
    with pytest.raises(ValueError, match="must be finite and at least 0"):
        kind(lam)


@ALL
@pytest.mark.parametrize("step", [0.0, -1.0, np.nan, np.inf])
def test_a_step_that_is_none(p, step):
    with pytest.raises(ValueError, match="it must be finite and above 0"):
        p.prox(np.ones((4, 3)), step)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GroupL2(1.0, groups=[[0, 1], [1, 2]]), r"named twice: \[1\]"),
        (lambda: GroupL2(1.0, groups=[[0], [2]]), "some are missing"),
        (lambda: GroupL2(1.0, groups=[[0, 1]])(np.ones(3)), r"name 2 places, and w of shape \(3,\) has 3"),
        (lambda: GroupL2(1.0, axis=0, groups=[[0]]), "not by both"),
        (lambda: Box(1.0, 0.0), "low must not be above high"),
        (lambda: MaxNorm(0.0), "finite and above 0"),
        (lambda: MCP(1.0, gamma=0.0), "finite and above 0"),
        (lambda: MCP(1.0, gamma=2.0).prox(np.ones(2), 2.0), "two lowest points"),
        (lambda: SCAD(1.0, a=2.0), "above 2"),
        (lambda: SCAD(1.0).prox(np.ones(2), 3.0), "two lowest points"),
        (lambda: Nuclear(1.0)(np.ones(3)), "must be a matrix"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_strength_that_is_a_tensor():
    lam, w = tg.tensor(0.5, requires_grad=True), tg.tensor([1.0, -2.0], requires_grad=True)
    value = L1(lam)(w)
    value.backward()
    assert float(value) == 1.5
    assert float(lam.grad) == 3.0
