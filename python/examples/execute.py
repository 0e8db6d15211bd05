#!/usr/bin/env python3
"""Executes notebooks with plain Python: their code cells in order, in one namespace.

    python3 python/examples/execute.py python/examples/ioi.ipynb            runs it; the exit code says whether all cells went well
    python3 python/examples/execute.py --write python/examples/ioi.ipynb    also keeps what the cells gave in the file
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any, Dict, List


def execute(cells: List[Dict[str, Any]]) -> List[List[Dict[str, Any]]]:
    """Runs the code cells and gives the outputs of each: what it printed, and the value of its last line."""
    namespace: Dict[str, Any] = {"__name__": "__main__"}
    outputs = []
    for number, cell in enumerate((c for c in cells if c["cell_type"] == "code"), 1):
        outputs.append(_cell("".join(cell["source"]), number, namespace))
    return outputs


def _cell(source: str, number: int, namespace: Dict[str, Any]) -> List[Dict[str, Any]]:
    tree = ast.parse(source, f"cell {number}")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), namespace)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), namespace)
    made: List[Dict[str, Any]] = []
    if printed.getvalue():
        made.append({"name": "stdout", "output_type": "stream", "text": _lines(printed.getvalue())})
    if value is not None:
        data = {"text/plain": _lines(repr(value))}
        if hasattr(value, "_repr_html_"):
            data["text/html"] = _lines(value._repr_html_())
        made.append({"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"})
    return made


def _lines(text: str) -> List[str]:
    return text.splitlines(keepends=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Executes a notebook.")
    parser.add_argument("--write", action="store_true", help="keep the outputs in the file")
    parser.add_argument("notebook", type=Path)
    options = parser.parse_args()
    notebook = json.loads(options.notebook.read_text("utf-8"))
    outputs = execute(notebook["cells"])
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, (cell, made) in enumerate(zip(code, outputs), 1):
        cell["outputs"], cell["execution_count"] = made, number
        print(f"cell {number}: " + ("".join(made[0].get("text") or made[0]["data"]["text/plain"]).strip() if made else ""))
    if options.write:
        options.notebook.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
