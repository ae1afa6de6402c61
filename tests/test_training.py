"""fit, early stopping and the progress bar."""

import io
import sys

import numpy as np
import pytest

import tinygrad_reg as tg
from tinygrad_reg import nn
from tinygrad_reg.optim import SGD


def classifier(**settings):
    return nn.Sequential(nn.Linear(2, 8, rng=0, **settings), nn.Tanh(), nn.Linear(8, 2, rng=1))


def moons(seed=0):
    return tg.data.moons(30, rng=seed)


def test_columns_and_their_values(mode):
    model, (x, y) = classifier(weight_lambda_l1=1e-3, bias_lambda_l2=1e-2), moons()
    model[0].bias.assign(np.ones(8))
    expected_loss = tg.cross_entropy(model(tg.Tensor(x)), y).item()
    weight = model[0].weight.numpy()
    opt = SGD(model.parameters(), lr=0.5, decay=1.0)
    history = tg.fit(model, x, y, optimizer=opt, epochs=2, validation=moons(1), compile=mode.compile)
    assert history.columns == [
        *("epoch", "data loss", "0.weight L1", "0.bias L2", "total", "accuracy"),
        *("validation loss", "validation accuracy", "learning rate"),
    ]
    first = history.rows[0]
    assert first["data loss"] == pytest.approx(expected_loss)
    assert first["0.weight L1"] == pytest.approx(1e-3 * np.abs(weight).sum())
    assert first["0.bias L2"] == pytest.approx(0.08)
    assert first["total"] == pytest.approx(first["data loss"] + first["0.weight L1"] + 0.08)
    assert history["learning rate"] == [0.5, 0.25]
    xv, yv = moons(1)
    assert history.last["validation loss"] == pytest.approx(tg.cross_entropy(model(tg.Tensor(xv)), yv).item())
    assert history.last["validation accuracy"] == tg.accuracy(model(tg.Tensor(xv)), yv)


def test_training_learns(mode):
    x, y = moons()
    history = tg.fit(classifier(), x, y, epochs=300, every=100, compile=mode.compile)
    assert history.last["accuracy"] > 0.95
    assert history["epoch"] == [0, 100, 200, 299]


def test_regression_by_default_is_least_squares(mode):
    x, y = tg.data.linear(100, noise=0.0, rng=0)
    model = nn.Linear(2, 1, rng=0)
    history = tg.fit(model, x, y.reshape(-1, 1), optimizer=SGD(model.parameters(), lr=0.3), epochs=200, compile=mode.compile)
    np.testing.assert_allclose(model.weight.data[:, 0], [1.0, -2.0], atol=1e-8)
    assert "accuracy" not in history


def test_batches_weigh_by_their_size_and_take_as_many_steps():
    x, y = tg.data.linear(10, rng=0)
    model = nn.Linear(2, 1, rng=0)
    expected = tg.mse(model(tg.Tensor(x)), y.reshape(-1, 1)).item()
    opt = SGD(model.parameters(), lr=1e-12)
    history = tg.fit(model, x, y.reshape(-1, 1), optimizer=opt, epochs=1, batch_size=4, rng=0)
    assert history["data loss"][0] == pytest.approx(expected, rel=1e-6)
    assert opt.steps == 3


def test_the_penalty_is_added_once_a_batch_undivided():
    model = nn.Linear(2, 1, weight_lambda_l2=0.1, rng=0)
    w = model.weight.numpy()
    x = np.zeros((10, 2))
    tg.fit(model, x, np.zeros((10, 1)), optimizer=SGD(model.parameters(), lr=0.5), epochs=1, batch_size=5, rng=0)
    np.testing.assert_allclose(model.weight.data, w * (1 - 0.5 * 0.2) ** 2)


def test_dropout_is_on_in_training_off_in_validation_and_the_mode_comes_back():
    model = nn.Sequential(nn.Dropout(0.5, rng=0), nn.Linear(2, 2, rng=0))
    modes = []
    model[1].forward = lambda x: modes.append(model[0].training) or nn.Linear.forward(model[1], x)
    model.eval()
    tg.fit(model, *moons(), epochs=1, validation=moons(1))
    assert modes == [True, False]
    assert model.training is False


def test_float_data_is_cast_to_the_models_dtype():
    model = classifier().astype("float32")
    seen = []
    tg.fit(model, *moons(), epochs=1, loss=lambda scores, labels: seen.append(scores.dtype) or tg.cross_entropy(scores, labels))
    assert set(seen) == {np.dtype("float32")}


def test_a_run_that_diverges_says_where():
    x, y = tg.data.linear(10, rng=0)
    model = nn.Linear(2, 1, rng=0)
    with (
        np.errstate(all="ignore"),
        pytest.raises(RuntimeError, match=r"fit: epoch \d+: data loss = (inf|nan), at a learning rate of 1e\+10. Lower the learning rate"),
    ):
        tg.fit(model, x, y.reshape(-1, 1), optimizer=SGD(model.parameters(), lr=1e10), epochs=100)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 0}, "epochs and every must be at least 1"),
        ({"every": 0}, "epochs and every"),
        ({"y": np.zeros(3, int)}, "x has 60 rows and y has 3"),
    ],
)
def test_arguments_are_checked(change, words):
    x, y = moons()
    with pytest.raises(ValueError, match=words):
        tg.fit(**({"model": classifier(), "x": x, "y": y} | change))


def test_callbacks_see_every_record_and_may_stop():
    seen = []

    def stop_at_three(history, model):
        seen.append(len(history))
        return len(history) == 3

    history = tg.fit(classifier(), *moons(), epochs=10, callbacks=[stop_at_three])
    assert seen == [1, 2, 3]
    assert history.stopped == "stopped after epoch 2"


@pytest.mark.parametrize("epochs", [4, 40])
def test_early_stopping_always_restores_the_best_weights(epochs):
    model, (x, y), (xv, yv) = classifier(), moons(), moons(1)
    stopping = tg.EarlyStopping(patience=2)
    opt = SGD(model.parameters(), lr=30.0)  # so large that the loss jumps about
    history = tg.fit(model, x, y, optimizer=opt, epochs=epochs, validation=(xv, yv), callbacks=[stopping])
    best = min(history["validation loss"])
    assert stopping.best == best
    assert history["epoch"][history["validation loss"].index(best)] == stopping.best_epoch
    assert tg.cross_entropy(model(tg.Tensor(xv)), yv).item() == pytest.approx(best, rel=1e-12)
    assert len(history) < 40
    assert "weights restored" in history.stopped


def test_early_stopping_on_accuracy_looks_for_the_largest():
    stopping = tg.EarlyStopping(patience=3, metric="accuracy")
    history = tg.fit(classifier(), *moons(), epochs=30, callbacks=[stopping])
    assert stopping.best == max(history["accuracy"])


def test_early_stopping_without_its_metric_says_what_is_missing():
    with pytest.raises(ValueError, match=r"no 'validation loss' to watch.*validation=\(x, y\) missing"):
        tg.fit(classifier(), *moons(), epochs=3, callbacks=[tg.EarlyStopping()])


def test_early_stopping_settings_are_checked():
    with pytest.raises(ValueError, match="patience must be at least 1"):
        tg.EarlyStopping(patience=0)


def test_the_bar_is_silent_when_piped(capfd):
    tg.fit(classifier(), *moons(), epochs=3, progress=True)
    assert capfd.readouterr() == ("", "")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_shows_on_a_terminal(monkeypatch):
    from tinygrad_reg import training

    monkeypatch.setattr(sys, "stderr", Terminal())
    bar = training.progress_bar(range(3), True)
    assert list(bar) == [0, 1, 2]
    assert type(bar).__name__ == "tqdm"


def test_without_tqdm_one_sentence_names_the_extra(monkeypatch):
    from tinygrad_reg import training

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert list(training.progress_bar(range(3), True)) == [0, 1, 2]
    assert "pip install 'tinygrad_reg[progress]'" in sys.stderr.getvalue()


def test_early_stopping_may_be_used_again():
    stopping = tg.EarlyStopping(patience=2, metric="total")
    tg.fit(classifier(), *moons(), epochs=20, callbacks=[stopping])
    second = classifier()
    second[0].weight.assign(second[0].weight.data * 3)
    history = tg.fit(second, *moons(), epochs=20, callbacks=[stopping])
    assert len(history) == 20
    assert stopping.best == min(history["total"])


def test_early_stopping_on_the_data_loss_restores_the_weights_that_had_it():
    model = nn.Linear(1, 1, init="zeros", bias=False)
    x = y = np.ones((1, 1))
    tg.fit(model, x, y, optimizer=SGD(model.parameters(), lr=1.2), epochs=3, callbacks=[tg.EarlyStopping(5, metric="data loss")])
    assert tg.mse(model(tg.Tensor(x)), y).item() == pytest.approx(1.0)


def test_early_stopping_recovers_from_nan():
    stopping, model = tg.EarlyStopping(patience=3), classifier()
    history = tg.History()
    for epoch, value in enumerate([float("nan"), 1.0, 0.5, 0.2]):
        stopping.before(history, model)
        history.append({"epoch": epoch, "validation loss": value})
        assert not stopping(history, model)
    assert stopping.best == 0.2


def test_whole_numbers_as_regression_targets():
    history = tg.fit(nn.Linear(2, 1), np.ones((3, 2)), np.array([[1], [2], [3]]), loss=tg.mse, epochs=2)
    assert "accuracy" not in history


def test_a_penalty_switched_on_half_way(mode):
    model = classifier()

    def switch(history, model):
        model[0].weight_lambda_l2 = 1e-3

    history = tg.fit(model, *moons(), epochs=3, callbacks=[switch], compile=mode.compile)
    assert np.isnan(history["0.weight L2"][0])
    assert history["0.weight L2"][1] > 0
    assert history.penalties == ["0.weight L2"]
    assert "nan" in repr(history)
    assert len(history.to_csv().splitlines()) == 4


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
@pytest.mark.parametrize("batch_size", [None, 25])
def test_a_compiled_run_has_the_same_history_over_a_thousand_steps(dtype, tolerance, batch_size, backend):
    """A rate low enough that rounding does not grow: what is tested is that each step is the same."""

    def run(compile):
        model = classifier(weight_lambda_l1=1e-4, weight_lambda_l2=1e-3, bias_lambda_l2=1e-3).astype(dtype)
        steps = 1000 if batch_size is None else 1000 // 3
        optimizer, rng = SGD(model.parameters(), lr=0.02, momentum=0.5, decay=1e-3), None if batch_size is None else 0
        return tg.fit(model, *moons(), optimizer=optimizer, epochs=steps, every=50, batch_size=batch_size, rng=rng, compile=compile)

    expected, found = run(False), run(backend)
    assert found.columns == expected.columns
    for name in expected.columns:
        np.testing.assert_allclose(found[name], expected[name], rtol=tolerance, atol=tolerance, err_msg=name)


def test_a_penalty_of_the_inputs_is_one_more_term(mode):
    (x, y), slope = moons(), lambda model, x, y: 0.1 * tg.penalties.jacobian_penalty(model, x)
    model = classifier(weight_lambda_l2=1e-3)
    expected, l2 = slope(model, tg.Tensor(x), y).item(), model.regularization_loss().item()
    history = tg.fit(model, x, y, epochs=50, penalty=slope, compile=mode.compile)
    first = history.rows[0]
    assert first["penalty"] == pytest.approx(expected, rel=1e-12)
    assert first["total"] == pytest.approx(first["data loss"] + l2 + expected, rel=1e-12)
    free = classifier(weight_lambda_l2=1e-3)
    tg.fit(free, x, y, epochs=50, compile=mode.compile)
    assert slope(model, tg.Tensor(x), y).item() < 0.8 * slope(free, tg.Tensor(x), y).item()
