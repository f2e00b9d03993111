from __future__ import annotations

import re

from d2l_lrsched.explorer.texts import LANGUAGES, TEXTS


def test_both_languages_say_the_same_things():
    assert {*TEXTS} == {*LANGUAGES} == {"vi", "en"}
    assert TEXTS["vi"].keys() == TEXTS["en"].keys()
    for key, english in TEXTS["en"].items():
        vietnamese = TEXTS["vi"][key]
        assert english.strip(), key
        assert vietnamese.strip(), key
        assert sorted(re.findall(r"{\w*}", english)) == sorted(re.findall(r"{\w*}", vietnamese))
        for tag in ("<code>", "</code>", "<b>", "</b>"):
            assert english.count(tag) == vietnamese.count(tag), key
