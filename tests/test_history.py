"""History: columns, text, files, plots."""

import sys

import pytest

import tinygrad_reg as tg


def history(n=8):
    made = tg.History()
    for epoch in range(n):
        made.append({"epoch": epoch, "data loss": 1.0 / (epoch + 1), "w L2": 0.1, "total": 1.0 / (epoch + 1) + 0.1, "accuracy": epoch / n})
    return made


def test_columns_rows_and_penalties():
    made = history(3)
    assert made["accuracy"] == [0.0, 1 / 3, 2 / 3]
    assert made.penalties == ["w L2"]
    assert made.last["epoch"] == 2
    assert [row["epoch"] for row in made] == [0, 1, 2]


def test_an_unknown_column_lists_the_known_ones():
    with pytest.raises(KeyError, match="no column 'loss'; it has epoch, data loss"):
        history()["loss"]


def test_repr_is_a_short_table():
    text = repr(history(100))
    assert text.splitlines()[0] == "History of 100 rows"
    assert "… 96 more" in text
    assert len(text.splitlines()) == 7
    assert repr(tg.History()) == "History(empty)"


def test_csv_reads_back(tmp_path):
    text = history(2).to_csv(tmp_path / "run.csv")
    assert (tmp_path / "run.csv").read_text(encoding="utf-8") == text
    assert text.splitlines() == ["epoch,data loss,w L2,total,accuracy", "0,1.0,0.1,1.1,0.0", "1,0.5,0.1,0.6,0.5"]


def test_plot_draws_losses_penalties_and_accuracy(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot", reason="plots need the extra [plot]")
    plt.switch_backend("Agg")
    figure = history().plot(tmp_path / "run.png")
    losses, accuracies = figure.axes
    assert [line.get_label() for line in losses.lines] == ["data loss", "total", "w L2"]
    assert [line.get_label() for line in accuracies.lines] == ["accuracy"]
    assert (tmp_path / "run.png").stat().st_size > 5000
    plt.close(figure)


def test_without_matplotlib_one_sentence_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"History.plot needs matplotlib: pip install 'tinygrad_reg\[plot\]'"):
        history().plot()
