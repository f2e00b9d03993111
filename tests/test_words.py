"""The table of words itself; that it has all that notebooks show is in `test_notebooks_facts`."""

from __future__ import annotations

import pytest

from d2l_lrsched.explorer.texts import TEXTS
from d2l_lrsched.words import ALONE, PHRASES
from notebook_texts import STAY, english_of, latin_words, names

ALL = {**PHRASES, **ALONE}
#: Vietnamese, though the English texts have words that look the same.
ALIKE = {"so", "in", "Trung", "Cao"}


def test_a_text_is_in_one_table_only():
    assert not PHRASES.keys() & ALONE.keys()


@pytest.mark.parametrize("english", ALL)
def test_the_vietnamese_has_as_many_numbers_and_no_english(english):
    vietnamese = ALL[english]
    assert vietnamese.count("{}") == english.count("{}")
    assert vietnamese == vietnamese.strip() != ""


def test_no_english_word_is_left_in_the_vietnamese():
    of_english = {word for english in ALL for word in latin_words(english)}
    of_vietnamese = {word for vietnamese in ALL.values() for word in latin_words(vietnamese)}
    assert of_vietnamese & of_english <= STAY | names() | ALIKE


def test_what_is_left_in_english_is_found():
    assert english_of("sụp đổ, fast net") == ["fast", "net"]
    assert english_of("11/20 sụp đổ, cosine-warmup, epoch 3") == []
    assert english_of("gentler\nsquare\nroot") == []
    assert english_of("square root") == ["square", "root"]
    assert english_of("7.16e+50 (1.2e-05) Case(order=2, split=None) $W_2$") == []


def test_the_explorer_says_it_in_the_same_words():
    capitals = ("Constant", "Square root", "Multi-factor", "Cosine", "Cosine with warmup")
    known = {**ALL, **{name.lower(): ALL[name].lower() for name in capitals}}
    shared = {key: english for key, english in TEXTS["en"].items() if english in known}
    assert len(shared) > 10
    assert {key: TEXTS["vi"][key] for key in shared} == {
        key: known[english] for key, english in shared.items()
    }
