"""Sphinx's settings for the site: one build a language, Vietnamese with ``-t vi``.

The source folder is the checkout itself, so that notebooks and pages stand where their links say.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.ext.autodoc.mock import _MockObject

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

project = "d2l_lrsched"
language = "vi" if tags.has("vi") else "en"  # type: ignore[name-defined]  # noqa: F821
html_title = {
    "en": "Learning rate scheduling in MXNet",
    "vi": "Định thời tốc độ học với MXNet",
}[language]

# The studies' pages and the API are in English; the Vietnamese build links to the English ones.
SHARED = ["figures/*/README.md", "figures/chapter/builds.md", "docs/api/*.rst"]
root_doc = f"docs/index_{language}"
include_patterns = [f"docs/index_{language}.md", f"notebooks/*_{language}.ipynb"]
include_patterns += [f"teaching/*_{language}.md"]
include_patterns += SHARED if language == "en" else []
exclude_patterns = [".*", "_build", "results"]

extensions = [
    "languages",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
]
templates_path = ["_templates"]
html_static_path = ["_static", "../_build/mathjax"]  # MathJax is put there by make
html_css_files = ["site.css"]
html_theme = "furo"
# The bar on top holds the link to the other language: _templates/page.html.
html_theme_options = {"announcement": "language", "top_of_page_buttons": []}
html_copy_source = False
html_show_copyright = html_show_sphinx = False
html_additional_pages = {"index": "index.html"}
html_use_index = html_domain_indices = language == "en"
mathjax_path = "tex-svg-full.js"
nitpicky = True
# Types are said in words, and single backticks hold names of any kind: links where they can be.
default_role = "py:obj"
nitpick_ignore_regex = [("py:.*", ".*")]

# Outputs are those that are stored: nothing is run.
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"  # with tables
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
myst_heading_slug_func = "languages.slug"

# What the package computes with is not installed here.
autodoc_mock_imports = ["d2l", "llvmlite", "matplotlib", "mxnet", "numba", "pandas"]
autodoc_mock_imports += ["pooch", "scipy", "tqdm"]
_MockObject.__enter__ = _MockObject.__exit__ = _MockObject.__call__  # nets.fast opens one
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say the types
napoleon_google_docstring = False
napoleon_use_rtype = False


def _template(app: Sphinx, page: str, *_: object) -> str | None:
    return "slides.html" if page.startswith("teaching/slides_") else None


def setup(app: Sphinx) -> None:
    """Give the slides a page without the theme's bars."""
    app.connect("html-page-context", _template)
