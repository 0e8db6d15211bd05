"""What the pages and the notebook show is run here."""

import json
import math
import os
import re
import subprocess
import sys

from support import Case, ROOT

sys.path.insert(0, str(ROOT / "python" / "examples"))
import execute  # noqa: E402

NOTEBOOK = ROOT / "python" / "examples" / "ioi.ipynb"


class Pages(Case):
    def test_every_block_runs(self):
        for page in ("docs/python.md", "README.md", "python/README.md"):
            with self.subTest(page):
                blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
                self.assertTrue(blocks)
                # As a program of one block after the other, in an empty folder.
                path = self.folder / "page.py"
                path.write_text("\n".join(blocks))
                folder = self.folder / page.replace("/", "-")
                folder.mkdir()
                done = subprocess.run([sys.executable, str(path)], cwd=folder, capture_output=True, text=True, timeout=300)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("Circuit(", done.stdout)

    def test_every_name_of_the_package_is_in_the_tour(self):
        import gradpath

        page = (ROOT / "docs" / "python.md").read_text("utf-8")
        seldom = {"CurvePoints", "Entry", "Graph", "PairIds", "PairResults", "ScoredEdge", "__version__", "fractions", "library_version",
                  "Device", "Tokenizer"}
        for name in set(gradpath.__all__) - seldom:
            self.assertIn(name, page)


class Notebook(Case):
    def test_it_runs_and_gives_what_it_shows(self):
        notebook = json.loads(NOTEBOOK.read_text("utf-8"))
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            outputs = execute.execute(notebook["cells"])
        finally:
            os.chdir(before)
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        self.assertGreater(len(code), 8)
        for number, (cell, made) in enumerate(zip(code, outputs), 1):
            with self.subTest(cell=number):
                self.assertEqual(cell["execution_count"], number)
                self.assertTrue(same(cell["outputs"], made), f"{cell['outputs']}\n{made}")

    def test_it_is_a_notebook(self):
        notebook = json.loads(NOTEBOOK.read_text("utf-8"))
        self.assertEqual((notebook["nbformat"], notebook["nbformat_minor"]), (4, 5))
        ids = [cell["id"] for cell in notebook["cells"]]
        self.assertEqual(len(set(ids)), len(ids))


def same(a, b):
    """As :func:`_same`; of what is drawn, that it is drawn."""
    return _same(without_drawings(a), without_drawings(b))


def without_drawings(outputs):
    # A page holds all scores and its script; another processor's rounding may draw another edge.
    text = re.sub(r"srcdoc='[^']*'", "srcdoc=''", json.dumps([joined(output) for output in outputs]))
    return json.loads(text)


def joined(output):
    data = output.get("data", {})
    return {**output, "data": {kind: "".join(text) for kind, text in data.items()}} if data else output


def _same(a, b):
    """Whether two outputs agree but for rounding, which differs between processors."""
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list) and not all(isinstance(x, str) for x in a + b):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, list):
        a, b = "".join(a), "".join(b)
    if not isinstance(a, str):
        return a == b
    number = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
    if re.sub(number, "", a) != re.sub(number, "", b):
        return False
    pairs = zip(re.findall(number, a), re.findall(number, b))
    return all(math.isclose(float(x), float(y), rel_tol=0.02, abs_tol=0.02) for x, y in pairs)
