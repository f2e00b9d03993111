"""What the explorer's tests share."""

from __future__ import annotations

import re
import threading
from xml.etree import ElementTree

import pytest

from d2l_lrsched.explorer.answer import answer
from d2l_lrsched.explorer.server import Server
from d2l_lrsched.explorer.settings import Settings
from d2l_lrsched.explorer.stored import stored
from made_up import FIGURES


@pytest.fixture(scope="session")
def server():
    """The explorer of the committed records, at a free port."""
    found = stored(FIGURES)
    with Server(0, lambda query: answer(Settings.of(query), found)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def curves_of():
    """Return a reader of what is drawn: one mapping a panel, class of a line -> [(x, y), ...].

    The scale is read from the grid line and the label of each axis' first and last tick.
    """

    def numbers(text):
        return [float(number) for number in re.findall(r"-?[\d.]+", text)]

    def scale(panel, axis, coordinate):
        (ticks,) = (g for g in panel.findall("{*}g") if g.get("class") == axis)
        at = [numbers(path.get("d"))[coordinate] for path in ticks.findall("{*}path")]
        values = [float(text.text) for text in ticks.findall("{*}text")]
        (p, q), (a, b) = (at[0], at[-1]), (values[0], values[-1])
        return lambda at: a + (at - p) * (b - a) / (q - p)

    def curves_of(html):
        panels = []
        for panel in ElementTree.fromstring(f"<div>{html}</div>").findall(".//{*}svg"):
            if panel.get("class") == "sample":
                continue
            x, y = scale(panel, "across", 0), scale(panel, "upwards", 1)
            curves = {}
            for line in panel.findall("{*}polyline"):
                values = numbers(line.get("points"))
                points = [(x(a), y(b)) for a, b in zip(values[::2], values[1::2])]
                curves.setdefault(line.get("class"), []).extend(points)
            panels.append(curves)
        return panels

    return curves_of
