"""Run the arithmetic of the page in Node.js, without a browser."""

import json
import shutil
import subprocess
from typing import Any

import pytest

from numpycnn.explain.page import read_static

SCRIPTS = (
    "words.js",
    "data.js",
    "sentences.js",
    "windows.js",
    "recurrence.js",
    "arithmetic.js",
)  # none of them accesses the document on load

EVERY_NUMBER = """
const page = Data.load(JSON.parse(require("fs").readFileSync(0, "utf8")));
const found = page.layers.map((layer) => {
  const row = { key: layer.key, kind: layer.kind, numbers: 0, unknown: 0, worst: 0 };
  for (const channel of layer.y ? layer.y.kept : []) {
    for (let place = 0; place < layer.y.count; place++) {
      const { kind, result, output } = Arithmetic.explain(layer, channel, place);
      row.numbers += 1;
      if (kind === "unknown") row.unknown += 1;
      else row.worst = Math.max(row.worst, Math.abs(result - output) / Math.max(1, Math.abs(output)));
      if (kind !== "unknown" && !(Math.abs(result - output) < 1e30)) row.worst = 1e30; // NaN
    }
  }
  return row;
});
console.log(JSON.stringify(found));
"""


def run(script: str, data: dict[str, Any]) -> Any:
    """Run a script with the data of a page on standard input, and return its JSON output."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js wanted, to run the page's arithmetic")
    text = "\n".join(read_static(name) for name in SCRIPTS).replace('"use strict";', "")
    code = f'"use strict";\n{text}\n{script}'
    done = subprocess.run([node, "-e", code], input=json.dumps(data), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def every_number(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Recompute every value of every layer in JavaScript; return the largest error per layer."""
    found: list[dict[str, Any]] = run(EVERY_NUMBER, data)
    return found
