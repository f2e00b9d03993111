"""The site: what goes into it, and what `docs/check.py` finds. Sphinx is not needed here."""

from __future__ import annotations

import importlib.util
import re

import pytest

from made_up import ROOT

DOCS = ROOT / "docs"
SITE = ROOT / "_build" / "site"
PINNED = re.compile(r"([a-z0-9_-]+)==[\w.]+( ; .+)?")


def _load():
    # The folder is no package: Sphinx reads it, and make runs the file.
    spec = importlib.util.spec_from_file_location("site_check", DOCS / "check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = _load()


def entries():
    """What the API's pages say that autodoc should describe."""
    found = []
    for page in sorted((DOCS / "api").glob("*.rst")):
        module = None
        text = page.read_text(encoding="utf-8")
        for directive, name in re.findall(r"^\.\. (\w+):: (\S+)$", text, re.MULTILINE):
            if directive in ("automodule", "currentmodule"):
                module = name
            if directive != "currentmodule":
                whole = name.startswith("d2l_lrsched")
                found.append(name if whole else f"{module}.{name}")
    return found


def test_every_public_name_is_in_the_api():
    assert check.unnamed(entries()) == []
    assert len(entries()) == len(set(entries())), "an entry twice is a warning of Sphinx"


def test_a_public_name_without_an_entry_is_told():
    some = [name for name in entries() if name != "d2l_lrsched.PerEpoch"]
    assert check.unnamed(some) == ["d2l_lrsched.PerEpoch"]
    assert check.unnamed(["module-d2l_lrsched.nets", *some, "d2l_lrsched.PerEpoch"]) == []


@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_notebook_is_in_the_index_of_its_language(language):
    index = (DOCS / f"index_{language}.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\.\./notebooks/(\w+)$", index, re.MULTILINE)
    assert sorted(listed) == sorted(p.stem for p in ROOT.glob(f"notebooks/*_{language}.ipynb"))


def test_every_page_of_a_study_is_in_both_indexes():
    pages = sorted(f"../{p.relative_to(ROOT)}" for p in ROOT.glob("figures/*/*.md"))
    english = (DOCS / "index_en.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\.\./figures/\S+$", english, re.MULTILINE)
    assert sorted(f"{one}.md" for one in listed) == pages
    vietnamese = (DOCS / "index_vi.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\((\.\./figures/\S+?)\)", vietnamese)) == pages


def test_nothing_is_executed():
    assert 'nb_execution_mode = "off"' in (DOCS / "conf.py").read_text(encoding="utf-8")


def test_all_packages_are_pinned_and_stay_out_of_the_packages_own():
    pins = (DOCS / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in pins if not line.startswith("#")]
    assert all(PINNED.fullmatch(line) for line in pins)
    asked = (DOCS / "requirements.in").read_text(encoding="utf-8").splitlines()
    named = {line.partition("=")[0] for line in pins}
    assert {re.split("[<>=]", line)[0] for line in asked} <= named
    ours = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"^(sphinx|furo|myst)", ours, re.MULTILINE)


def test_mathjax_is_pinned_with_its_checksum():
    assert re.search(r"^MATHJAX := \d+\.\d+\.\d+$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.fullmatch(r"[0-9a-f]{64}  tex-svg-full\.js\n", (DOCS / "mathjax.sha256").read_text())


@pytest.mark.parametrize(
    "html",
    [
        '<script src="{}"></script>',
        '<link rel="stylesheet" href="{}">',
        '<img src="{}">',
        '<img src="a.png" srcset="b.png 1x, {} 2x">',
        '<svg><image xlink:href="{}"/></svg>',
        '<object data="{}"></object>',
        '<style>@import "{}";</style>',
        "<style>@font-face {{ src: url({}) }}</style>",
        "<p style=\"background: url('{}')\">",
        '<a href="/"><img src="{}"></a>',
    ],
)
@pytest.mark.parametrize("address", ["https://there.org/a", "//there.org/a", "http://there.org/a"])
def test_what_is_asked_of_another_host_is_found(html, address):
    assert check.foreign(check.Page(html.format(address)).loads) == [address]


@pytest.mark.parametrize(
    "html",
    [
        '<script src="../_static/a.js?v=1"></script>',
        '<img src="data:image/png;base64,AAAA">',
        '<a href="https://there.org">there</a>',
        "<p>https://there.org</p>",
        "<pre>@import url(https://there.org)</pre>",
        '<style>p { color: red; src: url("a.woff") }</style>',
    ],
)
def test_what_stays_here_and_links_in_text_are_no_matter(html):
    assert check.foreign(check.Page(html).loads) == []


def write_site(folder, **pages):
    """Write pages of English, and the Vietnamese one that they link to."""
    other = '<a rel="alternate" hreflang="{}" href="{}">other</a>'
    entries_of_all = "".join(f'<p id="{name}">' for name in entries())
    pages = {"api/all": entries_of_all, **pages}
    for name, content in pages.items():
        path = folder / "en" / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(other.format("vi", "../" * name.count("/") + "../vi/one.html") + content)
    (folder / "vi").mkdir()
    (folder / "vi" / "one.html").write_text(other.format("en", "../en/api/all.html"))


def test_a_site_without_problems(tmp_path):
    write_site(tmp_path, a='<h2 id="là-gì"></h2><a href="#l%C3%A0-g%C3%AC">up</a>')
    assert check.problems(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('<a href="b.html">b</a>', "en/a.html links to b.html, which is not there"),
        ('<a href="#b">b</a>', "en/a.html links to #b, which is not there"),
        ('<a href="api/all.html#b">b</a>', "en/a.html links to api/all.html#b, which is not there"),
        ('<img src="b.png">', "en/a.html links to b.png, which is not there"),
        ('<img src="https://b.org/b.png">', "en/a.html loads https://b.org/b.png"),
    ],
)
def test_what_is_wrong_with_a_page_is_told(tmp_path, content, problem):
    write_site(tmp_path, a=content)
    assert check.problems(tmp_path) == [problem]


def test_style_sheets_and_pictures_are_looked_at_and_so_are_languages(tmp_path):
    write_site(tmp_path)
    (tmp_path / "a.css").write_text("@import 'https://b.org/b.css';")
    (tmp_path / "a.svg").write_text('<svg><image href="https://b.org/b.png"/></svg>')
    (tmp_path / "vi" / "alone.html").write_text("<p>")
    assert check.problems(tmp_path) == [
        "a.css loads https://b.org/b.css",
        "a.svg loads https://b.org/b.png",
        "vi/alone.html has no link to the other language",
    ]


def test_the_built_site_has_no_problems():
    if not SITE.exists():
        pytest.skip("no site is built: make site")
    assert check.problems(SITE) == [], "make site anew"
