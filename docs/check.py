"""What Sphinx does not see of the built site: ``python docs/check.py _build/site``.

That nothing is asked of another host, that links across the two builds lead somewhere and say so,
that every page has one link to the other language, that each language's folder has a first page,
that the Vietnamese build says nothing in English around its pages, and that every public name has
its entry.
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
#: What a script of Sphinx says to readers.
_IN_SCRIPT = re.compile(r'\b(?:_|Documentation\.gettext)\(\s*"((?:[^"\\]|\\.)+)"')
OTHER = {"en": "vi", "vi": "en"}
#: How the text of a link ends that leads to a page of the other language.
IN_OTHER = {"en": "(in Vietnamese)", "vi": "(tiếng Anh)"}
#: Said in both languages.
NAMES = {"Furo"}


class Page(HTMLParser):
    """What a page loads, where it leads, what can be led to in it, and what is said around it."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        #: Address and text.
        self.links: list[tuple[str, str]] = []
        self.ids: set[str] = set()
        #: Addresses of the page in other languages, by language.
        self.alternate: dict[str, str] = {}
        #: Pictures that nothing is read in place of.
        self.wordless: list[str] = []
        #: Texts of the article, and of what the theme puts around and into it.
        self.article: set[str] = set()
        self.around: set[str] = set()
        self._open: list[str] = []
        self._link: tuple[str, list[str]] | None = None
        self.feed(content)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if tag in ("style", "script", "article"):
            self._open.append(tag)
        self.ids.add(given.get("id", ""))
        if tag == "a":
            if given.get("rel") == "alternate":
                self.alternate[given.get("hreflang", "")] = given["href"]
            elif "href" in given:
                self._link = given["href"], []
        else:
            self.loads += [given[name] for name in ("href", "xlink:href") if name in given]
        if tag == "img" and given.get("alt", "") in ("", given.get("src")):  # docutils' default
            self.wordless.append(given.get("src", ""))
        if given.get("http-equiv") == "refresh":
            self.links.append((given["content"].partition("url=")[2], ""))
        self.around |= {
            given[name] for name in ("aria-label", "placeholder", "title") & given.keys()
        }
        self.loads += [given[name] for name in ("src", "data", "poster") if name in given]
        self.loads += [one.split()[0] for one in given.get("srcset", "").split(",") if one.strip()]
        self.loads += in_style(given.get("style", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)
        if tag == "a" and self._link:
            self.links.append((self._link[0], "".join(self._link[1])))
            self._link = None

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            self.loads += in_style(data)
        elif "script" not in self._open:
            (self.article if "article" in self._open else self.around).add(data.strip())
            if self._link:
                self._link[1].append(data)


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


def english(pages: Iterable[tuple[str, Page]]) -> list[str]:
    """Return what is said around the Vietnamese pages in the words that are around English ones."""
    around: dict[str, set[str]] = {language: set() for language in OTHER}
    own = set(NAMES)
    for language, page in pages:
        around[language] |= page.around
        if language == "vi":  # a heading of a page is also said beside it
            own |= page.article
    return sorted(
        said for said in around["en"] & around["vi"] - own if re.search(r"[^\W\d]{2}", said)
    )


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
        addresses = [*page.loads, *page.alternate.values(), *(one for one, _ in page.links)]
        for address in addresses:
            if not foreign([address]) and not _is_there(path, address, pages):
                found.append(f"{name} links to {address}, which is not there")
        found += [f"{name} shows {picture} without words" for picture in page.wordless]
        if name.parts[0] in OTHER:
            found += [f"{name} {wrong}" for wrong in _across(site, path, page)]
    found += [
        f"{one}/index.html is not there" for one in OTHER if site / one / "index.html" not in pages
    ]
    parts = [(path.relative_to(site).parts[0], page) for path, page in pages.items()]
    found += [
        f"around the Vietnamese pages stands {said!r}"
        for said in english((first, page) for first, page in parts if first in OTHER)
    ]
    found += [f"the Vietnamese search says {said!r}" for said in _unsaid(site / "vi")]
    ids = {one for path, page in pages.items() if "api" in path.parts for one in page.ids}
    return found + [f"{name} has no entry in the API" for name in unnamed(ids)]


def _across(site: Path, path: Path, page: Page) -> list[str]:
    language = path.relative_to(site).parts[0]
    other = OTHER[language]
    if other not in page.alternate:
        return ["has no link to the other language"]
    same, found = _target(path, page.alternate[other]), []
    for address, text in page.links:
        target = _target(path, address)
        if target == same:
            found.append("has two links to the other language")
        elif site / other in target.parents and not text.endswith(IN_OTHER[language]):
            found.append(f"does not say that {address} is in the other language")
    return found


def _unsaid(build: Path) -> list[str]:
    """Return what the scripts of a build say without a word for it in its search page."""
    scripts = [script.read_text(encoding="utf-8") for script in build.glob("_static/*.js")]
    said = {text for script in scripts for text in _IN_SCRIPT.findall(script)}
    page = (build / "search.html").read_text(encoding="utf-8") if said else ""
    return sorted(text for text in said if f'"{text}": ' not in page)


def _target(path: Path, address: str) -> Path:
    parts = urlsplit(address)
    return (path.parent / unquote(parts.path)).resolve() if parts.path else path


def _is_there(path: Path, address: str, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "data":
        return True
    target = _target(path, address)
    if parts.fragment and target in pages:
        return unquote(parts.fragment) in pages[target].ids
    return target.is_file()


if __name__ == "__main__":
    sys.exit("\n".join(problems(Path(sys.argv[1]))) or None)
