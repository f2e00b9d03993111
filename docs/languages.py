"""Links between the two builds of the site, as an extension of Sphinx."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.osutil import relative_uri

OTHER = {"en": "vi", "vi": "en"}
#: Pages that Sphinx itself adds to both builds.
BOTH = ("search",)


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
    for link in list(doctree.findall(addnodes.pending_xref)):
        if link.get("refdomain") == "doc" and link["reftarget"] not in app.env.found_docs:
            anchor = f"#{link['reftargetid']}" if link.get("reftargetid") else ""
            address = _across(app, app.env.docname, link["reftarget"]) + anchor
            link.replace_self(nodes.reference("", "", *link.children, refuri=address))


def _tell_template(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    language = app.config.language
    same = counterpart(page, language)
    context["other_language"] = OTHER[language]
    context["other_is_same"] = same is not None
    context["other_address"] = _across(app, page, same or f"docs/index_{OTHER[language]}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the two."""
    app.connect("doctree-read", _link_across)
    app.connect("html-page-context", _tell_template)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
