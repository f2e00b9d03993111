"""What notebooks show, in English or Vietnamese: tables, figures, and lines that they print.

Both languages' notebooks have the same code but for the one word that makes `Words`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axis import Axis
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

from d2l_lrsched import checks
from d2l_lrsched.runs import frames
from d2l_lrsched.words import ALONE, PHRASES

if TYPE_CHECKING:
    from IPython.display import Markdown
    from matplotlib.figure import Figure

_NUMBER = r"([-+]?\d+(?:\.\d+)?(?:e[-+]\d+)?%?|inf|nan)"


class _Table:
    """A table of words as one regular expression, the longest first."""

    def __init__(self, table: Mapping[str, str]) -> None:
        texts = sorted(table, key=len, reverse=True)
        self._vietnamese = [table[english] for english in texts]
        parts = (_NUMBER.join(map(re.escape, english.split("{}"))) for english in texts)
        known = "|".join(f"(?P<_{i}>{part})" for i, part in enumerate(parts))
        # A hyphen belongs to a name, as a letter does.
        self.pattern = re.compile(rf"(?<![\w-])(?:{known})(?![\w-])")

    def translated(self, found: re.Match[str]) -> str:
        """Return the Vietnamese of a match of the pattern, with its numbers."""
        # The outer group is closed last; those of its numbers follow it.
        name = str(found.lastgroup)
        vietnamese = self._vietnamese[int(name[1:])]
        first = found.re.groupindex[name]
        return vietnamese.format(*found.groups()[first : first + vietnamese.count("{}")])


_WHOLE, _ANYWHERE = _Table({**ALONE, **PHRASES}), _Table(PHRASES)


class Words:
    """Shows what the package says in English in one language, 'en' or 'vi'.

    What is in no table of `d2l_lrsched.words` stays as it is.
    """

    def __init__(self, language: str) -> None:
        self._vietnamese = checks.choice("language", language, ("en", "vi")) == "vi"

    def text(self, text: str) -> str:
        """Return a text: translated as a whole if it is known so, else what is known in it."""
        if not self._vietnamese:
            return text
        if whole := _WHOLE.pattern.fullmatch(text):
            return _WHOLE.translated(whole)
        return _ANYWHERE.pattern.sub(_ANYWHERE.translated, text)

    def print(self, *values: object) -> None:
        """Print values as a line, with a space between them."""
        print(self.text(" ".join(map(str, values))))

    def table(self, table: pd.DataFrame) -> Markdown:
        """Return a table as Markdown, with its headers and cells."""
        from IPython.display import Markdown  # only notebooks have it

        rows = [
            [self.text(str(cell)) for cell in row] for row in (table.columns, *table.to_numpy())
        ]
        return Markdown(frames.markdown(pd.DataFrame(rows[1:], columns=rows[0])))

    def figure(self, figure: Figure) -> Figure:
        """Return a figure with all its texts; a cell that ends with it shows it once."""
        from matplotlib import pyplot as plt  # it chooses a backend

        for text in figure.findobj(Text):
            text.set_text(self.text(text.get_text()))
        for axis in figure.findobj(Axis):
            labels = axis.get_major_formatter()
            if isinstance(labels, FuncFormatter):  # ticks with names: other labels are numbers
                axis.set_major_formatter(self._of_names(labels))
        plt.close(figure)  # else one of pyplot's would be shown once more at the end of the cell
        return figure

    def _of_names(self, labels: FuncFormatter) -> FuncFormatter:
        return FuncFormatter(lambda value, place: self.text(labels(value, place)))
