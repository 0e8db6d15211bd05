"use strict";

// The tables: the strongest edges of every method side by side, and where the scores come from.

const TOP_OF_EACH = 25;

// Every edge that is among the strongest of some method, with its score and rank in all of them; sorted by one method's rank.
class EdgeTable {
  constructor(container, graph, methods) {
    this.container = container;
    this.graph = graph;
    this.methods = methods;
    this.edges = [...new Set(methods.flatMap(method => Array.from(method.ranking.subarray(0, TOP_OF_EACH))))];
    this.sort(0, 1);
  }

  sort(place, direction) {
    this.place = place;
    this.direction = direction;
    const { ranks } = this.methods[place];
    this.edges.sort((a, b) => (ranks[a] - ranks[b]) * direction);
    this.draw();
  }

  draw() {
    const focused = this.container.contains(document.activeElement) ? document.activeElement.dataset?.place : undefined;
    const methodHeads = this.methods.map(method => html("th", { colspan: "2", scope: "colgroup" }, method.name));
    const columnHeads = this.methods.flatMap((_, place) => [this.rankHead(place), html("th", { scope: "col", class: "number" }, "score")]);
    const rows = this.edges.map(edge => html("tr", {},
      html("th", { scope: "row" }, this.graph.edgeName(edge)),
      ...this.methods.flatMap(method => [
        html("td", { class: "number" }, count(method.ranks[edge])),
        html("td", { class: "number" }, scoreText(method.scores[edge])),
      ])));
    this.container.replaceChildren(html("table", {},
      html("thead", {}, html("tr", {}, html("th", { rowspan: "2", scope: "col" }, "edge"), ...methodHeads), html("tr", {}, ...columnHeads)),
      html("tbody", {}, ...rows)));
    if (focused !== undefined) this.container.querySelector(`[data-place="${focused}"]`)?.focus();
  }

  rankHead(place) {
    const sorted = place === this.place;
    const button = html("button", { type: "button", "data-place": place, "aria-label": `Sort by rank in ${this.methods[place].name}` },
      "rank", html("span", { "aria-hidden": "true" }, sorted ? (this.direction > 0 ? " \u2191" : " \u2193") : " \u2195"));
    button.addEventListener("click", () => this.sort(place, sorted ? -this.direction : 1));
    return html("th", { scope: "col", class: "number", "aria-sort": sorted ? (this.direction > 0 ? "ascending" : "descending") : "none" }, button);
  }
}

// One row per key, one column per method; a key that a file does not have stays blank.
function drawProvenance(container, methods) {
  const keys = [...new Set(methods.flatMap(method => method.provenance.map(([key]) => key)))];
  const rows = keys.map(key => html("tr", {}, html("th", { scope: "row" }, key),
    ...methods.map(method => html("td", {}, method.provenance.find(([name]) => name === key)?.[1] ?? ""))));
  container.replaceChildren(html("table", { class: "wrap" },
    html("thead", {}, html("tr", {}, html("th", { scope: "col" }, ""), ...methods.map(method => html("th", { scope: "col" }, method.name)))),
    html("tbody", {}, ...rows)));
}

function drawFacts(list, facts) {
  list.replaceChildren(...facts.map(([key, value]) => html("div", {}, html("dt", {}, key), html("dd", {}, value))));
  list.hidden = facts.length === 0;
}
