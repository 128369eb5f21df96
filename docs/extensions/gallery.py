"""How the gallery runs the examples: in their short mode, into a folder whose pictures it then shows."""

import ast
import shutil
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from sphinx_gallery.scrapers import figure_rst

PICTURES = Path(__file__).parents[1] / "_build" / "pictures"


def arguments(gallery_conf: dict[str, Any], script_vars: dict[str, Any]) -> list[str]:
    """Return the command line of an example, give it its docstring back, and empty the folder for what it saves."""
    text = Path(script_vars["src_file"]).read_text(encoding="utf-8")
    script_vars["example_globals"]["__doc__"] = ast.get_docstring(ast.parse(text))
    shutil.rmtree(PICTURES, ignore_errors=True)
    return ["--quick", "--out", str(PICTURES)] if '"--out"' in text else ["--quick"]


def saved_pictures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Move what an example has saved to its page, in the order of saving."""
    plt.close("all")
    shown = []
    for saved in sorted(PICTURES.glob("*"), key=lambda path: (path.stat().st_mtime_ns, path)):
        if saved.suffix in (".png", ".gif"):
            picture = Path(next(block_vars["image_path_iterator"])).with_suffix(saved.suffix)
            shutil.move(saved, picture)
            shown.append(figure_rst([str(picture)], gallery_conf["src_dir"]))
    return "".join(shown)  # one below the other
