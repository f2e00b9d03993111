"""What the explorer's page shows, as a function of what it is set to."""

from __future__ import annotations

import html
from typing import Any

from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.explorer import svg
from d2l_lrsched.explorer.settings import (
    BOOK,
    COUNTED,
    READINGS,
    SCHEDULES,
    Settings,
    allowed,
    preset,
)
from d2l_lrsched.explorer.stored import Stored, matching, rates
from d2l_lrsched.explorer.texts import LANGUAGES, TEXTS

#: The texts of the page that hang on nothing but the language.
_FIXED = ("title", "intro", "code", "copy", "preset", "reading", "schedule", "ended")


def answer(settings: Settings, stored: Stored) -> dict[str, Any]:
    """Return what the page shows, ready for json.

    Returns
    -------
    dict
        ``svg``, ``note``, ``hint``, ``runs`` and the values of ``texts`` are html, ``code`` is
        text. ``settings`` are those of the query, every slider's value among them; ``choices``
        are the options of each choice, as pairs of value and label, ``presets`` what the book
        sets, by experiment, and ``preset`` the one that is shown, or ''. ``sliders`` are those
        that the schedule takes, each with name, label and the values at which it may stand.
    """
    texts = TEXTS[settings.language]
    shown = preset(settings)
    num_updates = int(settings.values["num_epochs"]) * UPDATES_PER_EPOCH
    both = {reading: rates(settings.scheduler(reading), num_updates) for reading in READINGS}
    code = settings.code()
    return {
        "settings": {
            "schedule": settings.schedule,
            "reading": settings.reading,
            "language": settings.language,
            **settings.values,
        },
        "texts": {name: texts[name] for name in _FIXED},
        "choices": {
            "language": list(LANGUAGES.items()),
            "reading": [(name, texts[f"reading.{name}"]) for name in READINGS],
            "schedule": [(name, texts[name]) for name in SCHEDULES],
            "preset": [
                ("", texts["own"]),
                *((name, texts["book"].format(texts[name])) for name in BOOK),
            ],
        },
        "preset": shown,
        "presets": dict(BOOK),
        "sliders": [
            {
                "name": slider,
                "label": _label(slider, settings),
                "values": allowed(slider, settings.values),
            }
            for slider in (*settings.taken, "num_epochs")
        ],
        "svg": svg.rates_svg(both, settings.reading, settings.language),
        "note": _note(shown, settings),
        "code": code,
        "hint": texts["code.constant" if code.startswith("{") else "code.hint"],
        "runs": _runs(settings, stored),
    }


def _label(slider: str, settings: Settings) -> str:
    """Return what a slider is, the unit in which it counts, and the argument that it sets."""
    texts = TEXTS[settings.language]
    label = texts[{"factor": "factor.slider"}.get(slider, slider)]
    if slider in COUNTED:
        label += f" ({texts[f'unit.{settings.reading}']})"
    if slider in settings.taken and settings.schedule != "constant":
        label += f" <code>{settings.taken[slider]}</code>"
    return label


def _note(shown: str, settings: Settings) -> str:
    texts = TEXTS[settings.language]
    if shown == "multi-factor" and settings.reading == "update":
        return texts["multi-factor.note"]
    return texts["cosine-warmup.note"] if shown == "cosine-warmup" else ""


def _runs(settings: Settings, stored: Stored) -> str:
    """Return the drawing and the counts of the runs with these rates, and who was passed over."""
    texts = TEXTS[settings.language]
    groups = matching(stored.groups, settings.scheduler())
    if groups:
        counts = "; ".join(
            texts["runs.count"].format(
                name=group.experiment,
                runs=len(group.runs),
                epochs=group.num_epochs,
                collapsed=group.collapsed,
            )
            for group in groups
        )
        drawing = svg.runs_svg(groups, settings.language)
        shown = f"<h2>{texts['runs']}</h2>{drawing}<p>{counts}. {texts['runs.collapsed']}</p>"
    elif stored.groups:
        shown = f"<p>{texts['runs.none']}</p>"
    else:
        folder = f"<code>{html.escape(str(stored.folder))}</code>"
        shown = f"<p>{texts['runs.no_records'].format(folder=folder)}</p>"
    if stored.unknown:
        names = html.escape(", ".join(dict.fromkeys(stored.unknown)))
        count = len(stored.unknown)
        shown += f"<p>{texts['runs.unknown'].format(count=count, names=names)}</p>"
    return shown
