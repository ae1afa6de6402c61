"""The same numbers as the libraries themselves: their optimum is ours at the converted strength, their step is ours."""

import json
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn, penalties
from tinygrad_reg.penalties.conversions import LOSSES

sklearn = pytest.importorskip("sklearn", reason="needs scikit-learn: the extra [examples]")
from sklearn import datasets, linear_model, neural_network  # noqa: E402 - after it is known to be there

PEERS = "needs the extra [peers]"


def standardised(name, rows=None):
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    x, y = x[:rows], y[:rows]
    return (x - x.mean(axis=0)) / x.std(axis=0), y


def regression(outputs=1):
    x, y = standardised("diabetes")
    y = (y - y.mean()) / y.std()
    return x, y[:, None] if outputs == 1 else np.c_[y, y**2 - 1, np.sin(y)]


def loss_of(x, y, kind):
    return lambda w, b: kind(tg.Tensor(x) @ w + b, y)


def two_classes(scores, y):
    return tg.binary_cross_entropy_with_logits(scores, y[:, None].astype(float))


def residual(loss, penalty, w, b):
    """How far their solution is from our optimum: the larger of the weights' distance and the bias's slope."""
    w, b = tg.Tensor(w, requires_grad=True), tg.Tensor(b, requires_grad=True)
    in_w, in_b = tg.grad(loss(w, b), [w, b])
    if getattr(penalty, "groups", None):
        w, in_w = w.data.reshape(-1), in_w.data.reshape(-1)
    return max(penalty.distance(np.asarray(getattr(w, "data", w)), np.asarray(getattr(in_w, "data", in_w))), float(np.max(abs(in_b.data))))


def solved(loss, penalty, shape):
    """Our own optimum, by FISTA."""
    w, b = tg.tensor(np.zeros(shape), requires_grad=True), tg.tensor(np.zeros(shape[1]), requires_grad=True)
    given = [(w, penalty)]
    optimizer = tg.optim.FISTA([w, b], penalties=given)
    for _ in range(3000):
        optimizer.minimize(lambda: loss(w, b))
    return w.data, b.data


def assert_same_optimum(loss, penalty, w, b, tolerance):
    assert residual(loss, penalty, w, b) <= tolerance
    for wrong in (1.001, 0.999):  # a strength that is off by 0.1 % has another optimum
        assert residual(loss, scaled(penalty, wrong), w, b) > tolerance
    mine, bias = solved(loss, penalty, w.shape)
    value = [loss(tg.Tensor(v), tg.Tensor(c)).item() + float(penalty(v)) for v, c in ((w, b), (mine, bias))]
    assert value[0] == pytest.approx(value[1], rel=max(1e-12, tolerance**2 * 1e4))
    np.testing.assert_allclose(mine, w, atol=2e-4)


def scaled(penalty, factor):
    if isinstance(penalty, penalties.ElasticNet):
        return penalties.ElasticNet(penalty.l1 * factor, penalty.l2 * factor)
    if isinstance(penalty, penalties.GroupL2):
        return penalties.GroupL2(penalty.lam * factor, penalty.axis, penalty.groups, penalty.sizes)
    return type(penalty)(penalty.lam * factor)


EXACT = {"tol": 1e-14, "max_iter": 1_000_000}
LINEAR = {
    "Lasso": (lambda: linear_model.Lasso(0.05, **EXACT), penalties.from_sklearn_elastic_net(0.05), 1),
    "ElasticNet": (lambda: linear_model.ElasticNet(0.1, l1_ratio=0.4, **EXACT), penalties.from_sklearn_elastic_net(0.1, 0.4), 1),
    "ElasticNet, 3 outputs": (lambda: linear_model.ElasticNet(0.1, l1_ratio=0.4, **EXACT), penalties.from_sklearn_elastic_net(0.1, 0.4, 3), 3),
    "Ridge": (lambda: linear_model.Ridge(20.0), penalties.from_sklearn_ridge(20.0, samples=442), 1),
    "Ridge, 3 outputs": (lambda: linear_model.Ridge(20.0), penalties.from_sklearn_ridge(20.0, samples=442, outputs=3), 3),
    "MultiTaskLasso": (lambda: linear_model.MultiTaskLasso(0.1, **EXACT), penalties.from_sklearn_multitask(0.1, outputs=3), 3),
}


@pytest.mark.parametrize("name", LINEAR)
def test_sklearn_least_squares(name):
    make, penalty, outputs = LINEAR[name]
    x, y = regression(outputs)
    theirs = make().fit(x, y)
    assert_same_optimum(loss_of(x, y, tg.mse), penalty, theirs.coef_.reshape(outputs, -1).T, np.reshape(theirs.intercept_, -1), 1e-7)


LOGISTIC = {
    "L2": ({"C": 0.05, "solver": "newton-cholesky"}, "breast_cancer", two_classes, 1),
    "L2, three classes": ({"C": 0.05, "solver": "newton-cholesky"}, "wine", tg.cross_entropy, 3),
    "elastic net": ({"C": 0.02, "l1_ratio": 0.5, "solver": "saga"}, "breast_cancer", two_classes, 1),
    "L1, three classes": ({"C": 0.1, "l1_ratio": 1.0, "solver": "saga"}, "wine", tg.cross_entropy, 3),
}


@pytest.mark.parametrize("name", LOGISTIC)
def test_sklearn_logistic_regression(name):
    settings, data, kind, outputs = LOGISTIC[name]
    x, y = standardised(data)
    theirs = linear_model.LogisticRegression(**settings, tol=1e-12, max_iter=20_000, random_state=0).fit(x, y)
    penalty = penalties.from_sklearn_logistic(settings["C"], settings.get("l1_ratio", 0.0), samples=len(x))
    assert_same_optimum(loss_of(x, y, kind), penalty, theirs.coef_.reshape(outputs, -1).T, theirs.intercept_, 1e-7)


def yes_or_no(scores, y):
    return tg.binary_cross_entropy_with_logits(scores, y.astype(float))


def mlp_data(kind):
    x, labels = standardised("wine", rows=90)
    numbers = np.c_[x[:, :1] * 2, np.cos(x[:, 1:2]), x[:, 2:3] ** 2]
    return x, {
        "classes": labels % 2 + (np.arange(90) % 3 == 0),
        "labels of their own": (numbers > 0).astype(int),
        "a number": numbers[:, :1],
        "numbers": numbers,
    }[kind]


@pytest.mark.parametrize(("kind", "outputs"), [("classes", 1), ("labels of their own", 3), ("a number", 1), ("numbers", 3)])
def test_sklearn_mlp_makes_the_same_step(kind, outputs):
    (x, y), regressor = mlp_data(kind), "number" in kind
    loss = (
        tg.mse if regressor else tg.cross_entropy if outputs == 1 else lambda scores, y: tg.binary_cross_entropy_with_logits(scores, y.astype(float))
    )
    scale = outputs * (0.5 if regressor else 1.0)  # how many times ours their loss is
    settings = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.05, "random_state": 0, "shuffle": False, "activation": "tanh"}
    make = neural_network.MLPRegressor if regressor else neural_network.MLPClassifier
    theirs = make(hidden_layer_sizes=(6,), alpha=2.0, batch_size=90, **settings)
    penalty = penalties.from_sklearn_mlp(alpha=2.0, batch_size=90, regressor=regressor, outputs=outputs)
    given = y[:, 0] if kind == "a number" else y
    theirs.partial_fit(x, given, **({} if regressor else {"classes": np.unique(y) if outputs == 1 else np.arange(outputs)}))
    model = nn.Sequential(nn.Linear(13, 6, rng=0), nn.Tanh(), nn.Linear(6, theirs.n_outputs_, rng=0))
    for layer, w, b in zip((model[0], model[2]), theirs.coefs_, theirs.intercepts_, strict=True):
        layer.weight_lambda_l2 = penalty.lam
        layer.weight.assign(w)
        layer.bias.assign(b)
    theirs.partial_fit(x, given)
    total = tg.optim.SGD(model.parameters(), lr=0.05 * scale).minimize(loss(model(tg.Tensor(x)), y) + model.regularization_loss())
    if kind != "numbers":  # there the loss that is shown is not the one whose steps are made
        assert theirs.loss_ == pytest.approx(total.item() * scale, rel=1e-12)
    for layer, w, b in zip((model[0], model[2]), theirs.coefs_, theirs.intercepts_, strict=True):
        np.testing.assert_allclose(layer.weight.data, w, rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(layer.bias.data, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("loss", LOSSES)
def test_torch_weight_decay_makes_the_same_steps(loss, rng):
    torch = pytest.importorskip("torch", reason=PEERS)
    x, y, start = rng.normal(size=(9, 4)), rng.normal(size=(9, 3)), rng.normal(size=(4, 3))
    scale = (0.5 if "half" in loss else 1.0) * {"mean": 1 / 27, "row mean": 1 / 9, "sum": 1.0}[loss.removeprefix("half ")]  # of a sum
    theirs = torch.tensor(start, requires_grad=True)
    optimizer = torch.optim.SGD([theirs], lr=0.01, weight_decay=0.3, momentum=0.5)
    ours = tg.tensor(start, requires_grad=True)
    mine = tg.optim.SGD([ours], lr=0.01 * scale * 27, momentum=0.5)
    penalty = penalties.from_torch(weight_decay=0.3, loss=loss, samples=9, outputs=3)
    for _ in range(20):
        optimizer.zero_grad()
        (scale * ((torch.tensor(x) @ theirs - torch.tensor(y)) ** 2).sum()).backward()
        optimizer.step()
        mine.minimize(tg.mse(tg.Tensor(x) @ ours, y) + penalty(ours))
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("peer", ["skglm", "celer"])
def test_coordinate_descent_least_squares(peer, l1_ratio):
    library = pytest.importorskip(peer, reason=PEERS)
    x, y = regression()
    make = library.Lasso if l1_ratio == 1 else lambda alpha, **more: library.ElasticNet(alpha, l1_ratio=l1_ratio, **more)
    theirs = make(0.1, tol=1e-12, fit_intercept=False).fit(x, y[:, 0])
    penalty = penalties.from_sklearn_elastic_net(0.1, l1_ratio)
    assert_same_optimum(loss_of(x, y, tg.mse), penalty, theirs.coef_[:, None], np.zeros(1), 1e-6)


@pytest.mark.filterwarnings("ignore:'@' is faster on contiguous arrays")  # how fast skglm is
def test_skglm_logistic():
    skglm = pytest.importorskip("skglm", reason=PEERS)
    x, y = standardised("breast_cancer")
    theirs = skglm.SparseLogisticRegression(alpha=0.02, tol=1e-10, fit_intercept=True).fit(x, y)
    penalty = penalties.from_skglm_logistic(0.02)
    assert_same_optimum(loss_of(x, y, two_classes), penalty, theirs.coef_.T, np.reshape(theirs.intercept_, -1), 1e-6)


def test_celer_logistic():
    celer = pytest.importorskip("celer", reason=PEERS)
    x, y = standardised("breast_cancer")
    theirs = celer.LogisticRegression(C=0.1, tol=1e-10).fit(x, y)
    penalty = penalties.from_sklearn_logistic(0.1, l1_ratio=1.0, samples=len(x))
    w = tg.Tensor(theirs.coef_.T, requires_grad=True)  # it has no bias
    slope = tg.grad(two_classes(tg.Tensor(x) @ w, y), w)
    assert penalty.distance(w.data, slope.data) <= 1e-6 < scaled(penalty, 1.001).distance(w.data, slope.data)


@pytest.mark.parametrize("sizes", [False, True])
def test_skglm_group_lasso(sizes):
    skglm = pytest.importorskip("skglm", reason=PEERS)
    x, y = regression()
    penalty = penalties.from_skglm_group(0.1, [[0, 3, 5], [1, 2], [4], [6, 7, 8, 9]], sizes=sizes)
    theirs = skglm.GroupLasso(**penalties.to_skglm_group(penalty), tol=1e-12, fit_intercept=False).fit(x, y[:, 0])
    flat = loss_of(x, y, lambda scores, y: tg.mse(scores, y))
    assert (
        residual(flat, penalty, theirs.coef_[:, None], np.zeros(1))
        <= 1e-6
        < residual(flat, scaled(penalty, 1.001), theirs.coef_[:, None], np.zeros(1))
    )


def run(script, **given):
    """What a script prints in a Python of its own: these libraries change settings for the whole process."""
    code = f"import json, sys\ngiven = json.loads(sys.argv[1])\n{script}"
    done = subprocess.run([sys.executable, "-c", code, json.dumps(given)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


KERAS = """
import os
os.environ["KERAS_BACKEND"] = "torch"
import keras, numpy as np
keras.config.set_floatx("float64")
x, y, w = (np.array(given[name]) for name in "xyw")
penalty = keras.regularizers.L1L2(**given["strengths"])
model = keras.Sequential([keras.Input((x.shape[1],)), keras.layers.Dense(w.shape[1], use_bias=False, kernel_regularizer=penalty)])
model.layers[0].set_weights([w])
model.compile(keras.optimizers.SGD(0.1), "mse")
before = model.evaluate(x, y, verbose=0)
model.fit(x, y, batch_size=len(x), epochs=1, verbose=0)
print(json.dumps([float(penalty(w)), float(before), np.asarray(model.layers[0].get_weights()[0]).tolist()]))
"""


def test_keras_has_the_same_loss_and_step(rng):
    pytest.importorskip("torch", reason=PEERS)
    if not _installed("keras"):
        pytest.skip(PEERS)
    x, y, w = rng.normal(size=(6, 3)), rng.normal(size=(6, 2)), rng.normal(size=(3, 2))
    penalty = penalties.ElasticNet(0.01, 0.02)
    strengths = penalties.to_keras(penalty)
    assert penalties.from_keras(**strengths) == penalty
    value, before, after = run(KERAS, x=x.tolist(), y=y.tolist(), w=w.tolist(), strengths=strengths)
    mine = tg.tensor(w, requires_grad=True)
    loss = tg.optim.SGD([mine], lr=0.1).minimize(tg.mse(tg.Tensor(x) @ mine, y) + penalty(mine))
    # Keras reports its losses in single precision; the weights are in double.
    assert (value, before) == (pytest.approx(float(penalty(w)), rel=1e-6), pytest.approx(loss.item(), rel=1e-6))
    np.testing.assert_allclose(mine.data, after, rtol=1e-7)


NNFS = """
import nnfs, numpy as np
from nnfs.datasets import spiral_data
nnfs.init()
x, y = spiral_data(samples=20, classes=3)
weights, biases, l1, l2 = 0.1 * np.random.randn(2, 4), 0.1 * np.random.randn(1, 4), 0.01, 0.02
# The book's loss of a layer (chapter 14), on the library's numbers.
loss = l1 * np.sum(np.abs(weights)) + l2 * np.sum(weights * weights) + l1 * np.sum(np.abs(biases)) + l2 * np.sum(biases * biases)
print(json.dumps([weights.tolist(), biases.tolist(), float(loss), str(weights.dtype)]))
"""


def test_the_books_layer_has_the_same_penalty():
    if not _installed("nnfs"):
        pytest.skip(PEERS)
    weights, biases, loss, dtype = run(NNFS)
    theirs = {f"{part}_regularizer_{kind}": strength for part in ("weight", "bias") for kind, strength in (("l1", 0.01), ("l2", 0.02))}
    layer = nn.Linear(2, 4, dtype=dtype, **penalties.from_nnfs(**theirs))
    layer.weight.assign(np.array(weights))
    layer.bias.assign(np.array(biases)[0])
    assert layer.regularization_loss().item() == pytest.approx(loss, rel=1e-6)  # single precision


def _installed(name):
    import importlib.util

    return importlib.util.find_spec(name) is not None
