"""The page of `d2l-lrsched explore`: any schedule, its two readings, and the runs that had it."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets as widgets

from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.explorer import figure as explorer_figure
from d2l_lrsched.explorer import model as explorer_model
from d2l_lrsched.explorer.model import BOOK, COUNTS, READINGS, SCHEDULES, Settings
from d2l_lrsched.explorer.stored import FOLDER_VARIABLE
from d2l_lrsched.explorer.texts import LANGUAGES, TEXTS, refusal
from d2l_lrsched.runs.experiment import NUM_EPOCHS

#: What is shown first, and where the book's settings do not say, the sliders' first values.
_START = "cosine"
_FIRST_VALUES = {"stop_factor_lr": 0.01, "pwr": 2.0, "first_step": 15, "second_step": 30}
_COUNTED = ("max_update", "first_step", "second_step", "warmup_steps")

_STYLE = """<style>
.explorer { max-width: 1400px; margin: 0 auto; font-family: sans-serif; }
.explorer .widget-html-content { line-height: 1.45; font-size: 14px; }
.explorer h1 { font-size: 22px; margin: 0 0 4px; }
.explorer h2 { font-size: 15px; margin: 10px 0 2px; }
.explorer code { font-family: monospace; background: #f3f3f3; padding: 1px 3px; }
.explorer code.line { display: block; padding: 8px; user-select: all; overflow-wrap: anywhere; }
.explorer button.copy { margin: 4px 6px 4px 0; padding: 3px 12px; cursor: pointer; }
.explorer .note .widget-html-content { border-left: 4px solid #E69F00; padding-left: 8px; }
.explorer .error .widget-html-content { border-left: 4px solid #D55E00; padding-left: 8px;
    font-weight: bold; }
.explorer .stale { opacity: 0.25; }
</style>"""


def page() -> widgets.Widget:
    """Return the page, with the stored runs of the folder that the environment names."""
    return Page(Path(os.environ.get(FOLDER_VARIABLE, "figures"))).box


class Page:
    """The page's widgets, and how they answer.

    ipywidgets sends a slider's next value only after the answer to the last one, and of those that
    came meanwhile the newest; so a quick drag leaves no queue behind, as long as the answer is
    given at once, within the callback.

    Parameters
    ----------
    folder : Path
        Where the records of runs are.

    Attributes
    ----------
    box : ipywidgets.Widget
        The page.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stored = explorer_model.stored(folder)
        self._unknown = explorer_model.unknown(folder)
        self._runs_shown: Any = None
        self._quiet = False
        self.language = widgets.ToggleButtons(
            options=[(name, key) for key, name in LANGUAGES.items()],
            style={"button_width": "90px"},
        )
        self.preset = widgets.Dropdown(options=["", *BOOK], layout={"width": "97%"})
        self.schedule = widgets.Dropdown(options=list(SCHEDULES), layout={"width": "97%"})
        self.reading = widgets.ToggleButtons(options=READINGS, style={"button_width": "150px"})
        wide = {"layout": widgets.Layout(width="97%"), "continuous_update": True}
        rate = {"min": 0.0, "step": 0.005, "readout_format": ".3f", **wide}
        self.sliders: dict[str, Any] = {
            "base_lr": widgets.FloatSlider(**{**rate, "min": 0.005, "max": 2.0}),
            "final_lr": widgets.FloatSlider(max=0.5, **rate),
            "stop_factor_lr": widgets.FloatSlider(max=0.5, **rate),
            "factor": widgets.FloatSlider(**{**rate, "min": 0.005, "max": 1.0}),
            "pwr": widgets.FloatSlider(min=0.1, max=5.0, step=0.1, readout_format=".1f", **wide),
            "max_update": widgets.SelectionSlider(options=COUNTS, **wide),
            "first_step": widgets.SelectionSlider(options=COUNTS, **wide),
            "second_step": widgets.SelectionSlider(options=COUNTS, **wide),
            "warmup_steps": widgets.SelectionSlider(options=(0, *COUNTS), **wide),
            # In fives: each number of epochs has a frame of its own to draw.
            "num_epochs": widgets.IntSlider(NUM_EPOCHS, min=5, max=60, step=5, **wide),
        }
        self._labels = {name: widgets.HTML() for name in (*self.sliders, *_CHOICES)}
        self._controls = {
            name: widgets.VBox([self._labels[name], widget]).add_class(f"control-{name}")
            for name, widget in {**self.sliders, **{c: getattr(self, c) for c in _CHOICES}}.items()
        }
        self.intro, self.message, self.note = (widgets.HTML() for _ in range(3))
        self.rates, self.code, self.runs = (widgets.HTML() for _ in range(3))
        self.box = self._laid_out()
        for name, value in _FIRST_VALUES.items():
            self.sliders[name].value = value
        self._take(BOOK[_START])
        self._translate()
        self._watch()

    @property
    def settings(self) -> Settings:
        """What the page is set to."""
        taken = SCHEDULES[self.schedule.value][1]
        values = {
            name: value if isinstance(value := self.sliders[name].value, int) else round(value, 6)
            for name in taken
        }
        warmup_steps = self.sliders["warmup_steps"].value
        return Settings(self.schedule.value, values, warmup_steps, self.reading.value)

    def _laid_out(self) -> widgets.Widget:
        self.message.add_class("error")
        self.note.add_class("note")
        self.rates.add_class("rates")
        self.code.add_class("code")
        self.runs.add_class("runs")
        controls = widgets.GridBox(  # beside the drawings one column, above them several
            [self._controls[name] for name in ("preset", "reading", "schedule", *self.sliders)],
            layout={
                "flex": "1 1 340px",
                "grid_template_columns": "repeat(auto-fit, minmax(320px, 1fr))",
                "align_content": "flex-start",
            },
        )
        self._shown = widgets.VBox([self.rates, self.note, self.code, self.runs])
        shown = widgets.VBox([self.message, self._shown], layout={"flex": "100 1 640px"})
        body = widgets.HBox([controls, shown], layout={"flex_flow": "row wrap"})
        page = widgets.VBox([widgets.HTML(_STYLE), self.language, self.intro, body])
        return page.add_class("explorer")

    def _watch(self) -> None:
        self.language.observe(lambda _: self._translate(), "value")
        self.preset.observe(lambda _: self._preset_chosen(), "value")
        for widget in (self.schedule, self.reading, *self.sliders.values()):
            widget.observe(lambda _: self._changed(), "value")

    @contextmanager
    def _silently(self) -> Iterator[None]:
        """Set several widgets, and draw once afterwards."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def _preset_chosen(self) -> None:
        if not self._quiet and self.preset.value:
            with self._silently():
                self._take(BOOK[self.preset.value])
            self._show()

    def _take(self, settings: Settings) -> None:
        """Set the sliders; the reading stays, for both belong to the book's settings."""
        self.schedule.value = settings.schedule
        for name, value in {**settings.values, "warmup_steps": settings.warmup_steps}.items():
            self.sliders[name].value = value

    def _changed(self) -> None:
        if not self._quiet:
            self._show()

    def _translate(self) -> None:
        texts = TEXTS[self.language.value]
        books = [(texts["book"].format(texts[name]), name) for name in BOOK]
        with self._silently():
            _relabel(self.schedule, [(texts[name], name) for name in SCHEDULES])
            _relabel(self.reading, [(texts[f"reading.{name}"], name) for name in READINGS])
            _relabel(self.preset, [(texts["own"], ""), *books])
        self.intro.value = f"<h1>{texts['title']}</h1>{texts['intro']}"
        self._show()

    def _show(self) -> None:
        """Answer what the page is set to."""
        language, settings = self.language.value, self.settings
        texts = TEXTS[language]
        with self._silently():
            alike = (n for n, book in BOOK.items() if _without_reading(settings, book))
            self.preset.value = next(alike, "")
        self._label(settings)
        try:
            schedulers = {reading: settings.scheduler(reading) for reading in READINGS}
        except ValueError as error:
            self.message.value = html.escape(refusal(str(error), language), quote=False)
            self.code.value = ""
            self._shown.add_class("stale")
            return
        self.message.value = ""
        self._shown.remove_class("stale")
        num_updates = self.sliders["num_epochs"].value * UPDATES_PER_EPOCH
        rates = {r: explorer_model.rates(s, num_updates) for r, s in schedulers.items()}
        chosen, other = sorted(READINGS, key=lambda reading: reading != settings.reading)
        self.rates.value = explorer_figure.rates_svg(rates[chosen], rates[other], chosen, language)
        self.note.value = self._note(settings)
        self.code.value = _code(settings, texts)
        self._show_runs(explorer_model.matching(self._stored, schedulers[chosen]))

    def _label(self, settings: Settings) -> None:
        """Show the sliders that the schedule takes, with the unit in which each counts."""
        texts = TEXTS[self.language.value]
        taken = {**SCHEDULES[settings.schedule][1], "warmup_steps": "warmup_steps"}
        for name, label in self._labels.items():
            words = texts[{"factor": "factor.slider", "preset": "settings"}.get(name, name)]
            if name in _COUNTED:
                words += f" ({texts[f'unit.{settings.reading}']})"
            if name in taken and settings.schedule != "constant":
                words += f" <code>{taken[name]}</code>"
            label.value = words
            if name in self.sliders and name != "num_epochs":
                self._controls[name].layout.display = "" if name in taken else "none"

    def _note(self, settings: Settings) -> str:
        texts = TEXTS[self.language.value]
        if explorer_model.is_the_books_multi_factor(settings):
            return texts["multi-factor.note"]
        return texts["cosine-warmup.note"] if self.preset.value == "cosine-warmup" else ""

    def _show_runs(self, groups: list[explorer_model.Stored]) -> None:
        language = self.language.value
        shown = (language, [(group.experiment, group.num_epochs) for group in groups])
        if shown != self._runs_shown:  # drawn anew only where a drag has brought others
            self._runs_shown = shown
            self.runs.value = self._runs(groups, language) + self._passed_over(language)

    def _runs(self, groups: list[explorer_model.Stored], language: str) -> str:
        texts = TEXTS[language]
        if not self._stored:
            folder = f"<code>{html.escape(str(self._folder))}</code>"
            return f"<p>{texts['runs.no_records'].format(folder=folder)}</p>"
        if not groups:
            return f"<p>{texts['runs.none']}</p>"
        counts = [
            texts["runs.count"].format(
                name=group.experiment,
                runs=len(group.runs),
                epochs=group.num_epochs,
                collapsed=group.collapsed,
            )
            for group in groups
        ]
        svg = explorer_figure.runs_svg(groups, language)
        text = f"{'; '.join(counts)}. {texts['runs.collapsed']}"
        return f"<h2>{texts['runs']}</h2>{svg}<p>{text}</p>"

    def _passed_over(self, language: str) -> str:
        if not self._unknown:
            return ""
        names = html.escape(", ".join(dict.fromkeys(self._unknown)))
        text = TEXTS[language]["runs.unknown"].format(count=len(self._unknown), names=names)
        return f"<p>{text}</p>"


_CHOICES = ("preset", "reading", "schedule")


def _relabel(widget: Any, options: list[tuple[str, Any]]) -> None:
    value = widget.value
    widget.options = options  # which chooses the first of them
    widget.value = value


def _without_reading(settings: Settings, other: Settings) -> bool:
    """Whether the two are alike but for the reading."""
    return (settings.schedule, settings.values, settings.warmup_steps) == (
        other.schedule,
        other.values,
        other.warmup_steps,
    )


def _code(settings: Settings, texts: Any) -> str:
    code = settings.code()
    hint = texts["code.constant" if code.startswith("{") else "code.hint"]
    copy = "navigator.clipboard.writeText(this.previousElementSibling.textContent)"
    return (
        f"<h2>{texts['code']}</h2>"
        f'<code class="line">{html.escape(code)}</code>'
        f'<button class="copy" onclick="{copy}">{texts["copy"]}</button> {hint}'
    )
