"""How Sphinx makes the site: `make docs`. Pages ask the network for nothing; a warning is an error."""

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "VLR Analysis Kit"
author = "VLR Analysis Kit contributors"
language = "en"
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "vlr_commands"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_ext"]

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
# A summary of a search result is fetched, which a page opened from a folder may not do.
html_show_search_summary = False

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
# The tables of the calibration stand under small headings on purpose.
suppress_warnings = ["myst.header"]

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstring says types, with shapes and units
numpydoc_show_class_members = False
autosummary_generate = False  # numpydoc brings it along; nothing here uses it
nitpicky = True
smartquotes = False  # it would make one dash of the two before an option


def setup(app: Any) -> None:
    """Let a docstring quote a separator such as ``; ``, which reStructuredText would not take for a literal."""

    def closed(_app: Any, _what: str, _name: str, _of: Any, _options: Any, lines: list[str]) -> None:
        lines[:] = [re.sub(r"by `` ?([;,|]) ``", r"by ``\1``", line) for line in lines]

    app.connect("autodoc-process-docstring", closed)
