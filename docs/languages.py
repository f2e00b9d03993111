"""The two builds of the site, as an extension of Sphinx: links between them, and their words.

Each page has one link to the other language, in the bar on top (`_templates/page.html`). What the
sources say for readers without a site, a paragraph of such a link alone, is left out.
"""

from __future__ import annotations

import json
import re
from gettext import NullTranslations
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

OTHER = {"en": "vi", "vi": "en"}
#: Pages that are in both builds, by the same name.
BOTH = ("index", "search")
#: What is said of a link to a page that there is in the other language only.
IN_OTHER = {"en": " (in Vietnamese)", "vi": " (tiếng Anh)"}

#: What is read in place of a notebook's figure, after the title of its section.
FIGURE = {
    "en": "the figure that the text around it describes",
    "vi": "hình mà đoạn văn quanh đó mô tả",
}

#: What Sphinx and the theme say -> in Vietnamese, where Sphinx's own catalogue has nothing. A new
#: version may say something else: `check.py` finds what is left in English.
VIETNAMESE = {
    "Next": "Tiếp theo",
    "Previous": "Trước đó",
    "Home": "Trang đầu",
    "On this page": "Trong trang này",
    "Back to top": "Về đầu trang",
    "Skip to content": "Tới thẳng nội dung",
    "Made with ": "Tạo bằng ",
    "Please activate JavaScript to enable the search functionality.": "Hãy bật JavaScript để tìm.",
    "Link to this heading": "Liên kết tới mục này",
    "Link to this image": "Liên kết tới hình này",
    "Link to this table": "Liên kết tới bảng này",
    # The search, in the browser
    "Search Results": "Kết quả tìm kiếm",
    "Searching": "Đang tìm",
    "Preparing search...": "Đang chuẩn bị tìm...",
    "Your search did not match any documents. Please make sure that all words are spelled "
    "correctly and that you've selected enough categories.": "Không tìm thấy trang nào. Hãy kiểm "
    "tra xem các từ đã viết đúng chính tả chưa.",
    "Search finished, found ${resultCount} page(s) matching the search query.": "Tìm thấy "
    "${resultCount} trang.",
    ", in ": ", trong ",
    "Hide Search Matches": "Bỏ đánh dấu các từ tìm được",
    # The theme's buttons and icons, which ask no catalogue
    "Toggle site navigation sidebar": "Mở hoặc đóng danh sách các trang",
    "Toggle table of contents sidebar": "Mở hoặc đóng mục lục của trang",
    "Toggle Light / Dark / Auto color theme": "Chọn nền sáng, nền tối hoặc tự động",
    "Contents": "Mục lục",
    "Menu": "Danh sách các trang",
    "Expand": "Mở ra",
    "Light mode": "Nền sáng",
    "Dark mode": "Nền tối",
    "Auto light/dark, in light mode": "Tự động, đang là nền sáng",
    "Auto light/dark, in dark mode": "Tự động, đang là nền tối",
}
_BUTTON = re.compile(r'(?<=aria-label=")[^"]+|(?<=<title>)[^<]+')


class _Vietnamese(NullTranslations):
    def gettext(self, message: str) -> str:
        return VIETNAMESE.get(message, message)


def slug(title: str) -> str:
    """Return the anchor of a heading as Jupyter makes it, for links within a notebook."""
    return title.replace(" ", "-")


def counterpart(page: str, language: str) -> str | None:
    """Return the name of the same page in the other language, or None if there is none."""
    stem, _, end = page.rpartition("_")
    if end == language:
        return f"{stem}_{OTHER[language]}"
    return page if page in BOTH else None


def _across(app: Sphinx, page: str, target: str) -> str:
    language = app.config.language
    return relative_uri(f"{language}/{page}.html", f"{OTHER[language]}/{target}.html")


def _link_across(app: Sphinx, doctree: nodes.document) -> None:
    # What is not in this build is in the other: `check.py` sees whether it is.
    language, page = app.config.language, app.env.docname
    for link in list(doctree.findall(addnodes.pending_xref)):
        target = link["reftarget"]
        if link.get("refdomain") != "doc" or target in app.env.found_docs:
            continue
        if target == counterpart(page, language) and len(link.parent) == 1:
            link.parent.parent.remove(link.parent)
            continue
        anchor = f"#{link['reftargetid']}" if link.get("reftargetid") else ""
        said = nodes.Text(IN_OTHER[language])
        address = _across(app, page, target) + anchor
        link.replace_self(nodes.reference("", "", *link.children, said, refuri=address))


def _put_in_words(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for image in doctree.findall(nodes.image):
        section = image.parent
        while not isinstance(section, nodes.section):
            section = section.parent
        title = section.next_node(nodes.title).astext()
        image.setdefault("alt", f"{title}: {FIGURE[app.config.language]}")


def _tell_template(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    language = app.config.language
    same = counterpart(page, language)
    context["other_language"] = OTHER[language]
    context["other_is_same"] = same is not None
    context["other_address"] = _across(app, page, same or f"docs/index_{OTHER[language]}")
    context["translated"] = _buttons if language == "vi" else str


def _buttons(html: str) -> str:
    return _BUTTON.sub(lambda said: VIETNAMESE.get(said[0], said[0]), html)


def _speak_vietnamese(app: Sphinx) -> None:
    if app.config.language == "vi":
        app.translator.add_fallback(_Vietnamese())
        # After Sphinx's own file, which leaves what it lacks empty.
        words = json.dumps(VIETNAMESE)
        body = f"Object.assign(Documentation.TRANSLATIONS, {words})"
        app.add_js_file(None, body=body, priority=900)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register all of it."""
    app.connect("builder-inited", _speak_vietnamese)
    app.connect("doctree-read", _link_across)
    app.connect("doctree-resolved", _put_in_words)
    app.connect("html-page-context", _tell_template)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
