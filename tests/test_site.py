"""The site: what goes into it, and what `docs/check.py` finds. Sphinx is not needed here."""

from __future__ import annotations

import doctest
import re

import pytest

from made_up import ROOT, module_of

DOCS = ROOT / "docs"
SITE = ROOT / "_build" / "site"
PINNED = re.compile(r"([a-z0-9_-]+)==[\w.]+( ; .+)?")


check = module_of(DOCS / "check.py")


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


@pytest.mark.parametrize("page", sorted((DOCS / "api").glob("*.rst")), ids=lambda page: page.stem)
def test_the_examples_of_the_api_show_what_they_give(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert done.attempted
    assert not done.failed, "see what it printed"


def test_every_page_of_the_api_is_in_its_index():
    index = (DOCS / "api" / "index.rst").read_text(encoding="utf-8")
    listed = re.findall(r"^   (\w+)$", index.partition(".. toctree::")[2], re.MULTILINE)
    assert sorted([*listed, "index"]) == sorted(p.stem for p in (DOCS / "api").glob("*.rst"))


def listed(language):
    """The notebooks and the teacher's pages in the index of a language, without its ending."""
    index = (DOCS / f"index_{language}.md").read_text(encoding="utf-8")
    return re.findall(rf"^(?:.+ <)?\.\./(\w+/\w+)_{language}>?$", index, re.MULTILINE)


@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_notebook_and_page_for_the_teacher_is_in_the_index_of_its_language(language):
    there = [*ROOT.glob(f"notebooks/*_{language}.ipynb"), *ROOT.glob(f"teaching/*_{language}.md")]
    named = [f"{p.parent.name}/{p.stem[: -len('_en')]}" for p in there]
    assert sorted(listed(language)) == sorted(named)


def test_the_order_is_the_same_in_both_languages_and_in_readme():
    assert listed("en") == listed("vi")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    in_table = re.findall(r"\| \[[^]]+\]\((notebooks/\w+)_en\.ipynb\) \|", readme)
    assert listed("en")[: len(in_table)] == in_table
    assert len(in_table) == len(list(ROOT.glob("notebooks/*_en.py")))


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


OTHER = '<a rel="alternate" hreflang="{0}" href="{1}">{0}</a>'


def write_site(folder, **pages):
    """Write pages of English, and the two Vietnamese ones that they link to."""
    entries_of_all = "".join(f'<p id="{name}">' for name in entries())
    for name, content in {"index": "", "api/all": entries_of_all, **pages}.items():
        path = folder / "en" / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        other = "../" * name.count("/") + "../vi/index.html"
        path.write_text(OTHER.format("vi", other) + content, encoding="utf-8")
    (folder / "vi").mkdir()
    write_vietnamese(folder, "index", "")


def write_vietnamese(folder, name, content):
    """Write a Vietnamese page, which links to an English one."""
    page = OTHER.format("en", "../en/index.html") + content
    (folder / "vi" / f"{name}.html").write_text(page, encoding="utf-8")


def test_a_site_without_problems(tmp_path):
    write_site(tmp_path, a='<h2 id="là-gì"></h2><a href="#l%C3%A0-g%C3%AC">up</a>')
    english = '<a href="../en/a.html">ở đây <em>(tiếng Anh)</em></a>'
    write_vietnamese(tmp_path, "b", f"<article>{english}</article>")
    (tmp_path / "index.html").write_text('<a href="en/index.html">English</a>')
    assert check.problems(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('<a href="b.html">b</a>', "en/a.html links to b.html, which is not there"),
        ('<a href="#b">b</a>', "en/a.html links to #b, which is not there"),
        ('<a href="api/all.html#b">b</a>', "en/a.html links to api/all.html#b, which is not there"),
        ('<img src="b.png" alt="b">', "en/a.html links to b.png, which is not there"),
        ('<img src="https://b.org/b.png" alt="b">', "en/a.html loads https://b.org/b.png"),
        ('<img src="data:,b" alt="data:,b">', "en/a.html shows data:,b without words"),
        ('<img src="data:,b">', "en/a.html shows data:,b without words"),
        (
            '<meta http-equiv="refresh" content="0; url=b.html">',
            "en/a.html links to b.html, which is not there",
        ),
        (
            '<a href="../vi/index.html">Tiếng Việt</a>',
            "en/a.html has two links to the other language",
        ),
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


def test_a_link_to_the_other_language_says_so(tmp_path):
    write_site(tmp_path, a="")
    write_vietnamese(tmp_path, "b", '<a href="../en/a.html">a</a>')
    problem = "vi/b.html does not say that ../en/a.html is in the other language"
    assert check.problems(tmp_path) == [problem]


@pytest.mark.parametrize("language", ["en", "vi"])
def test_each_language_has_a_first_page(tmp_path, language):
    write_site(tmp_path)
    (tmp_path / language / "index.html").rename(tmp_path / language / "first.html")
    assert f"{language}/index.html is not there" in check.problems(tmp_path)


@pytest.mark.parametrize(
    "said", ["<p>{}</p>", '<button aria-label="{}">', '<a title="{}">', '<input placeholder="{}">']
)
def test_what_the_theme_says_in_english_around_vietnamese_is_told(tmp_path, said):
    write_site(tmp_path, a=said.format("Next page"))
    write_vietnamese(tmp_path, "b", said.format("Next page"))
    assert check.problems(tmp_path) == ["around the Vietnamese pages stands 'Next page'"]
    write_vietnamese(tmp_path, "b", said.format("Trang sau"))
    assert check.problems(tmp_path) == []


@pytest.mark.parametrize(
    "same", ["<p>LeNet</p><article><h2>LeNet</h2></article>", "<p>Furo</p>", "<p>1.</p>"]
)
def test_headings_names_and_numbers_are_the_same_in_both_languages(tmp_path, same):
    write_site(tmp_path, a=same)
    write_vietnamese(tmp_path, "b", same)
    assert check.problems(tmp_path) == []


def test_a_word_of_the_search_without_a_vietnamese_one_is_told(tmp_path):
    write_site(tmp_path)
    scripts = tmp_path / "vi" / "_static"
    scripts.mkdir()
    (scripts / "searchtools.js").write_text('_("Searching"); Documentation.gettext(\n  "Found")')
    write_vietnamese(tmp_path, "search", '<script>f({"Searching": "Đang tìm"})</script>')
    assert check.problems(tmp_path) == ["the Vietnamese search says 'Found'"]


def test_the_built_site_has_no_problems():
    if not SITE.exists():
        pytest.skip("no site is built: make site")
    assert check.problems(SITE) == [], "make site anew"
