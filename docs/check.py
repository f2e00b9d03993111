"""What Sphinx does not see of the built site: ``python docs/check.py _build/site``.

That nothing is asked of another host, that links across the two builds lead somewhere, that every
page links to the other language, and that every public name has its entry.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import d2l_lrsched
from d2l_lrsched import schedulers

_IN_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""")
OTHER = {"en": "vi", "vi": "en"}


class Page(HTMLParser):
    """What a page loads, where it leads, and what can be led to in it."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        #: Addresses of the page in other languages, by language.
        self.alternate: dict[str, str] = {}
        self._style = False
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self._style = tag == "style"
        self.ids.add(given.get("id", ""))
        if tag == "a":
            self.links += [given["href"]] if "href" in given else []
            if given.get("rel") == "alternate":
                self.alternate[given.get("hreflang", "")] = given["href"]
        else:
            self.loads += [given[name] for name in ("href", "xlink:href") if name in given]
        self.loads += [given[name] for name in ("src", "data", "poster") if name in given]
        self.loads += [one.split()[0] for one in given.get("srcset", "").split(",") if one.strip()]
        self.loads += in_style(given.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            self.loads += in_style(data)


def in_style(style: str) -> list[str]:
    """Return the addresses that a style sheet loads."""
    return _IN_STYLE.findall(style)


def foreign(addresses: Iterable[str]) -> list[str]:
    """Return the addresses that another host would be asked for."""
    split = ((address, urlsplit(address)) for address in addresses)
    return [address for address, parts in split if parts.netloc or parts.scheme not in ("", "data")]


def unnamed(entries: Iterable[str]) -> list[str]:
    """Return the public names of the package without an entry among those of the API."""
    entries = set(entries)
    package = [f"d2l_lrsched.{name}" for name in d2l_lrsched.__all__]
    # What is a name of both is written where users import it from.
    own = [name for name in schedulers.__all__ if name not in d2l_lrsched.__all__]
    own = [f"d2l_lrsched.schedulers.{name}" for name in own]
    return [name for name in package + own if not {name, f"module-{name}"} & entries]


def problems(site: Path) -> list[str]:
    """Return what is wrong with the built site, a line each."""
    site = site.resolve()
    found = []
    for path in sorted([*site.rglob("*.css"), *site.rglob("*.svg")]):
        content = path.read_text(encoding="utf-8")
        loads = in_style(content) if path.suffix == ".css" else Page(content).loads
        found += [f"{path.relative_to(site)} loads {one}" for one in foreign(loads)]
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site)
        found += [f"{name} loads {address}" for address in foreign(page.loads)]
        for address in page.loads + page.links:
            if not foreign([address]) and not _is_there(path, address, pages):
                found.append(f"{name} links to {address}, which is not there")
        if name.parts[0] in OTHER and OTHER[name.parts[0]] not in page.alternate:
            found.append(f"{name} has no link to the other language")
    ids = {one for path, page in pages.items() if "api" in path.parts for one in page.ids}
    return found + [f"{name} has no entry in the API" for name in unnamed(ids)]


def _is_there(path: Path, address: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "data":
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if parts.fragment and target in pages:
        return unquote(parts.fragment) in pages[target].ids
    return target.is_file()


if __name__ == "__main__":
    sys.exit("\n".join(problems(Path(sys.argv[1]))) or None)
