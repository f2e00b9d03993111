from __future__ import annotations

import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.translation import Words

VI, EN = Words("vi"), Words("en")


# Texts


@pytest.mark.parametrize(
    ("english", "vietnamese"),
    [
        ("learning rate", "tốc độ học"),
        ("experiment", "thí nghiệm"),
        ("collapsed", "sụp đổ"),
        # In parts, of which the longest counts.
        (
            "train loss, of 50 batches, all seeds",
            "mất mát huấn luyện (50 minibatch), mọi hạt giống",
        ),
        ("constant\n3 of 10 collapsed", "constant\n3/10 sụp đổ"),
        ("exponent 0.5 (2 of 20 collapsed)", "số mũ 0.5 (2/20 sụp đổ)"),
        ("11.15.2 Square root, per epoch", "11.15.2 Căn bậc hai, theo epoch"),
        ("the book's, CONSISTENT", "số của sách, PHÙ HỢP"),
        ("ours: cosine-per-epoch", "của ta: cosine-per-epoch"),
        ("neither, seed 3: trained", "neither, hạt giống 3: học được"),
        # Numbers of all kinds.
        ("7 of 87", "7/87"),
        ("-0.0315 to +0.5", "-0.0315 đến +0.5"),
        ("(0.36 to 0.68)", "(0.36 đến 0.68)"),
        ("7.16e+50 of inf", "7.16e+50/inf"),
        ("95 % interval", "khoảng tin cậy 95 %"),
        ("  rate 0.300 0.100\n  loss 1.020", "  tốc độ học 0.300 0.100\n  mất mát 1.020"),
        ("8 CONFIRMED, 2 NOT DECIDED", "8 ĐƯỢC XÁC NHẬN, 2 CHƯA NGÃ NGŨ"),
    ],
)
def test_what_is_known_is_translated(english, vietnamese):
    assert VI.text(english) == vietnamese
    assert EN.text(english) == english


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.5",
        "0.143/0.944/0.881",
        "cosine-warmup",
        "resnet-cosine - resnet-warmup-cosine",
        "lower-rate",
        "LangevinScheduler(a=0.5, gamma=0.55)",
        "something else",
        "untrained",
        "lossless",
        "loss-free",
        # A word that is translated alone only, broken from a name.
        "square\nroot",
        "cosine\nwarmup",
    ],
)
def test_what_is_not_known_and_what_users_type_stays(text):
    assert VI.text(text) == text


def test_a_line_is_printed_as_one_text(capsys):
    for words in (VI, EN):
        words.print(20, "runs of", "pilot")
    assert capsys.readouterr().out == "20 lần chạy của pilot\n20 runs of pilot\n"


def test_another_language_is_an_error():
    with pytest.raises(ValueError, match=r"language must be 'en' or 'vi', got 'fr'"):
        Words("fr")


# Tables


def test_a_table_has_its_headers_and_cells_translated():
    table = pd.DataFrame(
        [("constant", 10, "collapsed", "0.000 to 0.308"), ("warmup-0", 5, "-", "not decided")],
        columns=["experiment", "runs", "", "95 % interval"],
    )
    assert VI.table(table).data == (
        "| thí nghiệm | số lần chạy |  | khoảng tin cậy 95 % |\n"
        "| --- | --- | --- | --- |\n"
        "| constant | 10 | sụp đổ | 0.000 đến 0.308 |\n"
        "| warmup-0 | 5 | - | chưa ngã ngũ |"
    )
    assert EN.table(table).data.splitlines()[0] == "| experiment | runs |  | 95 % interval |"
    assert EN.table(table).data.splitlines()[2] == "| constant | 10 | collapsed | 0.000 to 0.308 |"


def test_a_table_may_have_a_header_twice():
    table = pd.DataFrame([["1", "2"]], columns=["stored", "stored"])
    assert VI.table(table).data == "| đã lưu | đã lưu |\n| --- | --- |\n| 1 | 2 |"


# Figures


def a_figure():
    """Every kind of text that a figure may have; and what each should be."""
    figure = Figure()
    left, right = figure.subplots(1, 2)
    left.plot([1, 2], [1, 2], label="train loss")
    left.set(xlabel="epoch", ylabel="test accuracy", title="neither\n19 of 40 collapsed")
    left.legend()
    left.annotate("start", (1, 1))
    left.text(1, 1, "nobody knows this")
    left.secondary_xaxis("top").set_xlabel("update")
    right.set(yscale="log", ylim=(0.01, 100))
    right.set_xticks([0, 1], ["constant", "cosine\n2 of 5 collapsed"])
    drawing.legend(figure, {"trained": {}, "collapsed": {}})
    return figure


def texts(figure):
    figure.draw_without_rendering()
    left, right = figure.axes
    return {
        "labels": [left.get_xlabel(), left.get_ylabel(), left.get_title()],
        "above": [axes.get_xlabel() for axes in left.child_axes],
        "inside": [text.get_text() for text in left.texts],
        "legends": [
            [text.get_text() for text in legend.get_texts()]
            for legend in (left.get_legend(), *figure.legends)
        ],
        "named ticks": [label.get_text() for label in right.get_xticklabels()],
        "other ticks": [label.get_text() for label in right.get_yticklabels()],
    }


def test_a_figure_has_all_of_its_texts_translated():
    figure = a_figure()
    assert VI.figure(figure) is figure
    found = texts(figure)
    assert found.pop("other ticks") == texts(a_figure())["other ticks"], "numbers"
    assert found == {
        "labels": ["epoch", "độ chính xác kiểm tra", "neither\n19/40 sụp đổ"],
        "above": ["bước cập nhật"],
        "inside": ["xuất phát", "nobody knows this"],
        "legends": [["mất mát huấn luyện"], ["học được", "sụp đổ"]],
        "named ticks": ["constant", "cosine\n2/5 sụp đổ"],
    }


def test_an_english_figure_is_as_it_was():
    assert texts(EN.figure(a_figure())) == texts(a_figure())


@pytest.mark.parametrize("words", [VI, EN])
def test_a_figure_of_pyplot_is_shown_once(words):
    figure = plt.figure()
    assert plt.get_fignums() == [figure.number]
    words.figure(figure)
    assert plt.get_fignums() == []
