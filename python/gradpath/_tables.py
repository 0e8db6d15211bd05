"""What scores and circuits look like in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any, Iterable, List, Sequence

from ._errors import InputError

_SHOWN = 15
_DRAWN = 200
_FRAME = "width:100%;height:640px;border:0"
_STYLE = "text-align:left;padding:1px 12px 1px 0"


def scores(shown: Any) -> str:
    """The strongest edges of scores, as a drawing and as a table."""
    if shown.closed:
        return escape(repr(shown))
    made = shown.provenance or {}
    facts = [f"{shown.graph.n_edges:,} edges", made.get("method"), made.get("metric"), made.get("task"), made.get("model")]
    rows = [(edge, f"{value:.4g}") for edge, value in shown.top(_SHOWN)]
    with shown.top_n(min(_DRAWN, shown.graph.n_edges), prune=True) as strongest:
        drawn = _drawing(strongest)
    return _page("Scores", facts, ("edge", "score"), rows, shown.graph.n_edges - len(rows), drawn)


def circuit(shown: Any) -> str:
    """The edges of a circuit, as a drawing and as a table, the strongest first where it has scores."""
    if shown.closed:
        return escape(repr(shown))
    facts = [f"{shown.n_edges:,} of {shown.graph.n_edges:,} edges", f"{shown.n_nodes} of {len(shown.graph.writers)} nodes"]
    kept = shown.scores
    if kept is None:
        rows: List[Sequence[str]] = [(edge, "") for edge in shown.edges[:_SHOWN]]
    else:
        inside = ((kept[edge], edge) for edge in shown.edges)
        rows = [(edge, f"{value:.4g}") for value, edge in sorted(inside, key=lambda pair: -abs(float(pair[0])))[:_SHOWN]]
    return _page("Circuit", facts, ("edge", "score" if kept is not None else ""), rows, shown.n_edges - len(rows), _drawing(shown))


def _drawing(drawn: Any) -> str:
    try:
        page = drawn.html()
    except InputError as e:
        return f"<p>{escape(str(e))}</p>"
    # A page of its own, which reaches nothing of the notebook's. Of both quotes it has fewer of these.
    inside = page.replace("&", "&amp;").replace("'", "&#39;")
    return f"<iframe title='The circuit, to be explored' sandbox='allow-scripts' style='{_FRAME}' srcdoc='{inside}'></iframe>"


def _page(title: str, facts: Iterable[Any], heads: Sequence[str], rows: Sequence[Sequence[str]], more: int, drawn: str) -> str:
    head = "".join(f'<th style="{_STYLE}">{escape(h)}</th>' for h in heads)
    body = "".join("<tr>" + "".join(f'<td style="{_STYLE}">{escape(c)}</td>' for c in row) + "</tr>" for row in rows)
    rest = f"<p>and {more:,} more</p>" if more > 0 else ""
    said = ", ".join(escape(str(fact)) for fact in facts if fact)
    return f"<div><p><b>{title}</b>: {said}</p>{drawn}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}</div>"
