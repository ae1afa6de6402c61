"""Regularisation paths: every point is the optimum, all is zero at the start, inputs enter where they should, and the best λ follows the rules."""

import csv
import io

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn, path_plot
from tinygrad_reg.optim import ProximalSGD
from tinygrad_reg.path_result import RegularizationPath
from tinygrad_reg.penalties import L2, Box, ElasticNet, GroupL2

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 6)) + 1.0
Y = X @ np.array([1.5, 0.0, -1.0, 0.0, 0.3, 2.0]) + 0.5 * RNG.normal(size=80)
COLUMN = Y[:, None]
LABELS = np.greater(Y, Y.mean()).astype(int)


def path(model=None, data=(X, COLUMN), **settings):
    usual = {"points": 12, "ratio": 0.01, "tolerance": 1e-8, "progress": False}
    return tg.regularization_path(model or nn.Linear(6, 1, rng=0), data, **usual | settings)


def certificate(state, lam, data=(X, COLUMN), penalty=None, loss=tg.mse):
    """The certificate of a state of a path."""
    weight, bias = (tg.tensor(state[name], requires_grad=True, name=name) for name in ("weight", "bias"))
    pair = [(weight, penalty or tg.penalties.L1(lam))]
    return tg.optimality(lambda: loss(data[0] @ weight + bias, data[1]), [weight, bias], pair, tolerance=1e-5)


def test_each_point_is_the_optimum():
    found = path()
    assert len(found) == 12
    assert found.lambdas[0] == pytest.approx(found.lambda_max)
    assert found.lambdas[-1] == pytest.approx(0.01 * found.lambda_max)
    for lam, state in zip(found.lambdas, found.states, strict=True):
        assert certificate(state, lam).converged
    assert max(found["residual"]) <= 1e-8 * found.lambda_max
    with tg.no_grad():
        last = found.states[-1]
        assert found["data loss"][-1] == pytest.approx(((X @ last["weight"] + last["bias"] - COLUMN) ** 2).mean(), rel=1e-12)


def test_points_are_those_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    found = path()
    centred = X - X.mean(axis=0)
    _, expected, _ = linear_model.lasso_path(centred, Y - Y.mean(), alphas=found.lambdas / 2, tol=1e-12, max_iter=100_000)
    np.testing.assert_allclose(found.coefficients()[:, :, 0], expected.T, atol=2e-5)


def test_lambda_max_is_where_all_becomes_zero():
    centred = X - X.mean(axis=0)
    most = np.abs(2 * centred.T @ (Y - Y.mean()) / len(X)).max()
    found = path(lambdas=[1.001 * most, 0.99 * most])
    assert found.lambda_max == pytest.approx(most, rel=1e-9)
    assert found["non-zeros"] == [0, 1]


def test_inputs_enter_at_the_largest_lambda_that_uses_them():
    found = path(points=30)
    weights = found.coefficients("weight")[:, :, 0]
    for i, entered in enumerate(found.entered["weight"]):
        used = np.flatnonzero(weights[:, i])
        assert entered == found.lambdas[used[0]] if used.size else np.isnan(entered)
    assert found.entered["weight"][5] > found.entered["weight"][4]
    assert np.isnan(path(lambdas=[10.0]).entered["weight"]).all()


def test_classes_and_their_accuracy():
    found = path(nn.Linear(6, 2, rng=0), (X, LABELS), validation=(X, LABELS), ratio=0.05, points=6)
    assert found["non-zeros weight"][0] == 0
    for lam, state in zip(found.lambdas, found.states, strict=True):
        assert certificate(state, lam, (X, LABELS), loss=tg.cross_entropy).converged
    np.testing.assert_allclose(found["validation loss"], found["data loss"], rtol=1e-12)
    scores = X @ found.states[-1]["weight"] + found.states[-1]["bias"]
    assert found["validation accuracy"][-1] == np.mean(scores.argmax(axis=1) == LABELS)


def test_elastic_net_and_groups():
    found = path(penalty=lambda lam: ElasticNet(0.5 * lam, 0.25 * lam))
    plain = path()
    assert found.lambda_max == pytest.approx(2 * plain.lambda_max)
    for lam, state in zip(found.lambdas, found.states, strict=True):
        assert certificate(state, lam, penalty=ElasticNet(0.5 * lam, 0.25 * lam)).converged
    two = np.c_[Y, -Y]
    found = path(nn.Linear(6, 2, rng=0), (X, two), penalty=lambda lam: GroupL2(lam, axis=1))
    for lam, state in zip(found.lambdas, found.states, strict=True):
        assert certificate(state, lam, (X, two), GroupL2(lam, axis=1)).converged
        assert ((state["weight"] == 0).all(axis=1) == (state["weight"] == 0).any(axis=1)).all()


def test_the_models_own_penalties():
    """An L1 of the model is what the path follows; all else stays."""
    model = nn.Linear(6, 1, weight_lambda_l1=0.3, weight_lambda_l2=0.2, bias_lambda_l1=0.15, rng=0)
    found = path(model, points=5)
    assert found.penalised == ["weight", "bias"]
    for lam, state in zip(found.lambdas, found.states, strict=True):
        weight, bias = (tg.tensor(state[name], requires_grad=True) for name in ("weight", "bias"))
        loss = lambda w=weight, b=bias, s=lam: (  # noqa: E731
            tg.mse(X @ w + b, COLUMN) + s * abs(w).sum() + 0.5 * s * abs(b).sum() + 0.2 * (w * w).sum()
        )
        assert tg.optimality(loss, [weight, bias], tolerance=1e-5).converged
    assert (model.weight_lambda_l1, model.bias_lambda_l1) == (0.3, 0.15)


def test_ridge_with_lambdas_given():
    found = path(penalty=L2, lambdas=[1.0, 0.1])
    assert found["non-zeros"] == [6, 6]
    for lam, state in zip(found.lambdas, found.states, strict=True):
        assert certificate(state, lam, penalty=L2(lam)).converged


def test_the_validation_and_its_standard_error():
    held = (X[:20], COLUMN[:20])
    found = path(data=(X[20:], COLUMN[20:]), validation=held)
    state = found.states[4]
    losses = ((held[0] @ state["weight"] + state["bias"] - held[1]) ** 2)[:, 0]
    assert found["validation loss"][4] == pytest.approx(losses.mean(), rel=1e-12)
    assert found["validation se"][4] == pytest.approx(losses.std(ddof=1) / np.sqrt(20), rel=1e-12)
    own = path(data=(X[20:], COLUMN[20:]), validation=held, loss=lambda scores, y: ((scores - y) ** 2).mean())
    np.testing.assert_allclose(own["validation se"], found["validation se"], rtol=1e-5)


def test_cross_validation():
    found = path(folds=4, rng=3, points=5)
    parts = np.array_split(np.random.default_rng(3).permutation(80), 4)
    each = []
    for out in parts:
        rest = np.setdiff1d(np.arange(80), out)
        state = path(data=(X[rest], COLUMN[rest]), lambdas=found.lambdas).states[2]
        each.append(((X[out] @ state["weight"] + state["bias"] - COLUMN[out]) ** 2).mean())
    assert found["validation loss"][2] == pytest.approx(np.mean(each), rel=1e-4)
    assert found["validation se"][2] == pytest.approx(np.std(each, ddof=1) / 2, rel=1e-3)


def made(losses, errors):
    """A path with this validation."""
    rows = [
        {"lambda": lam, "validation loss": loss, "validation se": error, "non-zeros": i}
        for i, (lam, loss, error) in enumerate(zip([8.0, 4.0, 2.0, 1.0, 0.5], losses, errors, strict=True))
    ]
    return RegularizationPath(rows, [{"weight": np.full((2, 1), float(i))} for i in range(5)], ["weight"], 8.0)


def test_the_best_lambda():
    found = made([5.0, 3.2, 3.05, 3.0, 3.3], [1.0, 1.0, 0.5, 0.1, 0.2])
    assert (found.best().lam, found.best().place) == (1.0, 3)
    assert found.best("1se").lam == 2.0
    assert made([5.0, 3.2, 3.05, 3.0, 3.3], [1.0, 1.0, 0.5, 0.25, 0.2]).best("1se").lam == 4.0
    np.testing.assert_array_equal(found.best().state["weight"], [[3.0], [3.0]])


def test_a_network_goes_up_from_the_smallest_lambda():
    model = nn.Sequential(nn.Linear(6, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
    before = model.state_dict()
    found = path(model, parameters=["0.weight"], penalty=lambda lam: GroupL2(lam, axis=1), lambdas=[0.01, 0.3, 30.0], steps=400)
    assert found["lambda"] == [30.0, 0.3, 0.01]
    assert found["non-zeros 0.weight"][0] == 0
    assert found["non-zeros 0.weight"][2] == 24
    assert found["data loss"][2] < found["data loss"][0]
    assert found["steps"] == [400] * 3
    assert all((before[name] == x.data).all() for name, x in model.named_tensors())
    own = path(model, lambdas=[0.3], steps=50, optimizer=lambda p, q: ProximalSGD(p, lr=0.01, penalties=q))
    assert np.isfinite(own["data loss"][0])


def test_the_model_is_as_it_was():
    model = nn.Linear(6, 1, rng=0).eval()
    before = model.state_dict()
    path(model, folds=2)
    assert not model.training
    assert all((before[name] == x.data).all() and x.grad is None for name, x in model.named_tensors())
    with pytest.raises(RuntimeError):
        path(model, (X * np.nan, COLUMN))
    assert all((before[name] == x.data).all() for name, x in model.named_tensors())


@pytest.mark.parametrize("compile", [False, "numpy"])
def test_compiled_or_not_it_is_the_same(compile):
    np.testing.assert_allclose(path(compile=compile).coefficients(), path().coefficients(), atol=1e-5)


def test_float32():
    model = nn.Linear(6, 1, rng=0).astype("float32")
    found = path(model, (X.astype("float32"), COLUMN.astype("float32")))
    assert found.coefficients().dtype == np.float32
    np.testing.assert_allclose(found.coefficients(), path().coefficients(), atol=2e-3)


def test_rows_print_and_are_saved(tmp_path):
    found = path(folds=3)
    text = found.to_csv(tmp_path / "path.csv")
    assert (tmp_path / "path.csv").read_text(encoding="utf-8") == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["lambda"]) for row in rows] == found["lambda"]
    names = ["lambda", "data loss", "validation loss", "validation se", "non-zeros", "non-zeros weight", "residual", "steps"]
    assert list(rows[0]) == found.columns == names
    lines = str(found).splitlines()
    assert lines[0] == "RegularizationPath of 12 rows"
    assert len(lines) == 14
    assert [row["non-zeros"] for row in found] == found["non-zeros"]


def test_the_plot(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    found = path(folds=3)
    figure = found.plot(tmp_path / "path.png", names=list("abcdef"))
    assert (tmp_path / "path.png").stat().st_size > 10_000
    weights, validation = figure.axes
    curves = [line for line in weights.lines if len(line.get_xdata()) == 12]
    np.testing.assert_array_equal(np.array([line.get_ydata() for line in curves]), found.coefficients()[:, :, 0].T)
    assert {text.get_text() for text in weights.texts} <= set("abcdef")
    assert [text.get_text().split(",")[0] for text in validation.get_legend().get_texts()] == [
        f"{rule}: λ = {found.best(rule).lam:.3g}" for rule in ("min", "1se")
    ]
    with pytest.raises(ValueError, match="2 names for 6 inputs"):
        found.plot(names=["a", "b"])
    assert len(path(lambdas=[1.0, 0.0]).plot().axes) == 1
    matplotlib.pyplot.close("all")


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    def missing(module, what, extra):
        raise ImportError(f"{what} needs {module}: {extra}")

    monkeypatch.setattr(path_plot, "needs", missing)
    with pytest.raises(ImportError, match=r"RegularizationPath.plot needs matplotlib.pyplot: plot"):
        path(points=2).plot()


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"lambdas": [0.1, -1.0]}, ValueError, "lambdas are .* must be finite numbers of at least 0"),
        ({"lambdas": []}, ValueError, "at least one"),
        ({"lambdas": [np.nan]}, ValueError, "must be finite"),
        ({"penalty": L2}, ValueError, "L2 makes no zeros at any λ. Give lambdas="),
        ({"penalty": lambda lam: Box(-lam, lam)}, TypeError, "penalty must make a penalty of λ"),
        ({"penalty": lambda lam: lam}, TypeError, "penalty must make a penalty of λ"),
        ({"parameters": ["wieght"]}, ValueError, "there is no parameter 'wieght', only weight, bias"),
        ({"data": X}, TypeError, r"data must be a pair \(x, y\), not ndarray"),
        ({"data": (X, COLUMN[:3])}, ValueError, "data has 80 inputs and 3 targets"),
        ({"validation": (X, COLUMN[:3])}, ValueError, "validation has 80 inputs and 3 targets"),
        ({"folds": 1}, ValueError, "folds is 1; it must be 0 or at least 2"),
        ({"folds": 81}, ValueError, "folds is 81, and there are 80 samples"),
        ({"points": 0}, ValueError, "points is 0"),
        ({"ratio": 1.0}, ValueError, "ratio is 1.0; it must be between 0 and 1"),
        ({"steps": 0}, ValueError, "steps is 0"),
        ({"data": (X * 0, COLUMN)}, ValueError, "all stays 0 at any λ"),
        ({"data": (X, COLUMN * np.inf), "lambdas": [0.5]}, RuntimeError, "at the start: the smooth part of the loss = (inf|nan)"),
    ],
)
def test_bad_input(settings, kind, message):
    with pytest.raises(kind, match=message):
        path(**settings)


def test_a_diverging_network_stops_with_lambda_term_and_step():
    model = nn.Sequential(nn.Linear(6, 4, rng=0), nn.ReLU(), nn.Linear(4, 1, rng=1))
    with pytest.raises(RuntimeError, match="λ = 0.1, step 50: .* = (nan|inf).* at a learning rate of 10"):
        path(model, lambdas=[0.1], steps=50, optimizer=lambda p, q: ProximalSGD(p, lr=10.0, penalties=q))


def test_rows_that_have_not_arrived_are_told():
    with pytest.warns(RuntimeWarning, match=r"at 11 of 12 λs, the largest .*, the residual is above tolerance·λ_max after 1 steps"):
        found = path(steps=1)
    assert found["steps"] == [0] + [1] * 11
    assert found["residual"][-1] > 1e-8 * found.lambda_max


def test_questions_that_have_no_answer():
    found = path(points=2)
    for ask, kind, message in (
        (lambda: found["loss"], KeyError, "has no column 'loss'"),
        (lambda: found.best(), RuntimeError, "was not validated"),
        (lambda: found.best("max"), ValueError, "must be 'min' or '1se'"),
        (lambda: found.coefficients("w"), KeyError, "there is no parameter 'w'"),
    ):
        with pytest.raises(kind, match=message):
            ask()
