"use strict";

// The layered graph: edges on a canvas, because there may be tens of thousands; nodes above them as SVG, because there are few, and
// people point at them, tab to them and have them read out.

// What an edge feeds shows in three ways: colour, dashes, and for q, k and v the place where it enters the head.
const EDGE_KINDS = [
  { name: "query", colour: "--edge-q", dash: [7, 4] },
  { name: "key", colour: "--edge-k", dash: [2, 3] },
  { name: "value", colour: "--edge-v", dash: [] },
  { name: "MLP", colour: "--edge-mlp", dash: [10, 3, 2, 3] },
  { name: "logits", colour: "--edge-logits", dash: [] },
];
const MOST_DRAWN = 50000;
const REACH = 6;

class GraphView {
  constructor(container, graph, whenIsolated) {
    this.graph = graph;
    this.container = container;
    this.whenIsolated = whenIsolated;
    this.isolated = null;
    this.canvas = html("canvas", { "aria-hidden": "true" });
    this.svg = svg("svg", { role: "group", "aria-label": "Circuit. Arrow keys move between nodes, Enter shows the paths through one." });
    this.stage = html("div", { class: "graph-stage" }, this.canvas, this.svg);
    container.append(this.stage);
    this.svg.addEventListener("pointermove", event => this.hover(event));
    this.svg.addEventListener("pointerleave", () => this.unhover());
    this.svg.addEventListener("click", event => this.click(event));
    this.svg.addEventListener("keydown", event => this.key(event));
    onWidthChange(container, () => this.draw());
  }

  // Shows a circuit: edges strongest first.
  show(method, edges, colouring) {
    this.method = method;
    this.circuit = edges;
    this.colouring = colouring;
    this.nodes = this.nodesOf(edges);
    this.degrees = this.degreesOf(edges);
    if (this.isolated !== null && !this.nodes.has(this.isolated)) this.isolated = null;
    this.draw();
  }

  isolate(node) {
    this.isolated = node === this.isolated ? null : node;
    this.draw();
    this.whenIsolated(this.isolated);
  }

  clear() {
    if (this.isolated !== null) this.isolate(this.isolated);
  }

  nodesOf(edges) {
    const isIn = new Uint8Array(this.graph.writers + 1);
    for (const edge of edges) isIn[this.graph.row(edge)] = isIn[this.graph.nodeOfColumn[this.graph.column(edge)]] = 1;
    return new Set([...isIn.keys()].filter(node => isIn[node]));
  }

  // How many edges enter and leave every node.
  degreesOf(edges) {
    const into = new Uint32Array(this.graph.writers + 1), outOf = new Uint32Array(this.graph.writers + 1);
    for (const edge of edges) {
      outOf[this.graph.row(edge)]++;
      into[this.graph.nodeOfColumn[this.graph.column(edge)]]++;
    }
    return { into, outOf };
  }

  draw() {
    if (!this.circuit) return;
    this.layout = new Layout(this.graph, this.container.clientWidth);
    const all = this.isolated === null ? this.circuit : through(this.graph, this.circuit, this.isolated);
    this.shown = all.slice(0, MOST_DRAWN);
    this.lit = this.isolated === null ? this.nodes : this.nodesOf(all);
    this.curves = Array.from(this.shown, edge => this.layout.edge(this.graph.row(edge), this.graph.column(edge)));
    this.drawEdges();
    this.drawNodes();
    this.stage.dataset.edges = this.shown.length;
    this.stage.dataset.nodes = this.lit.size;
  }

  lineWidth(edge) {
    const share = this.method.largest > 0 ? Math.abs(this.method.scores[edge]) / this.method.largest : 0;
    return 0.7 + 4.3 * Math.sqrt(share);
  }

  // Weak edges first, so that strong ones lie on top.
  drawEdges() {
    const { width, height } = this.layout;
    const scale = window.devicePixelRatio || 1;
    Object.assign(this.stage.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const pen = this.canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    const colours = EDGE_KINDS.map(kind => cssValue(kind.colour));
    const signs = { plus: cssValue("--positive"), minus: cssValue("--negative") };
    pen.globalAlpha = Math.max(0.25, Math.min(0.85, 1.25 - 0.17 * Math.log10(this.shown.length + 1) * 2));
    for (let i = this.shown.length - 1; i >= 0; i--) {
      const edge = this.shown[i];
      const kind = this.graph.inputKind(this.graph.column(edge));
      const negative = this.method.scores[edge] < 0;
      const colour = this.colouring === "sign" ? (negative ? signs.minus : signs.plus) : colours[kind];
      this.drawEdge(pen, this.curves[i], this.lineWidth(edge), colour, EDGE_KINDS[kind].dash, negative);
    }
  }

  // A positive score ends in an arrow, a negative one in a bar across.
  drawEdge(pen, c, width, colour, dash, negative) {
    const tip = 3 + width;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(c.x0, c.y0);
    pen.bezierCurveTo(c.cx0, c.cy0, c.cx1, c.cy1, c.x1, c.y1 + (negative ? 2 : tip));
    pen.stroke();
    pen.setLineDash([]);
    pen.beginPath();
    if (negative) {
      pen.lineWidth = 2;
      pen.moveTo(c.x1 - tip * 0.8, c.y1 + 2);
      pen.lineTo(c.x1 + tip * 0.8, c.y1 + 2);
      pen.stroke();
    } else {
      pen.moveTo(c.x1, c.y1);
      pen.lineTo(c.x1 - tip * 0.6, c.y1 + tip + 1);
      pen.lineTo(c.x1 + tip * 0.6, c.y1 + tip + 1);
      pen.fill();
    }
  }

  drawNodes() {
    const { width, height } = this.layout;
    const focused = this.svg.contains(document.activeElement) ? Number(document.activeElement.dataset.node) : null;
    fill(this.svg, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
    this.svg.replaceChildren();
    this.marked = null;
    const x = this.layout.left - 34;
    for (let layer = 0; layer < this.graph.layers; layer++) {
      const { y } = this.layout.place(1 + layer * (this.graph.heads + 1));
      this.svg.append(svg("text", { x, y: y + 4, class: "layer" }, String(layer)));
      if (layer === this.graph.layers - 1) this.svg.append(svg("text", { x, y: y - 12, class: "layer" }, "layer"));
    }
    let first = null;
    for (let node = 0; node <= this.graph.logitsNode; node++) {
      const drawn = this.nodes.has(node) ? this.drawNode(node) : this.drawAbsent(node);
      this.svg.append(drawn);
      if (this.nodes.has(node) && first === null) first = drawn;
    }
    const start = this.svg.querySelector(`[data-node="${focused ?? this.lastFocus}"].node`) ?? first;
    start?.setAttribute("tabindex", "0");
    if (focused !== null) start?.focus();
  }

  drawAbsent(node) {
    const { x, y } = this.layout.place(node);
    return svg("circle", { cx: x, cy: y, r: 2, class: "absent" });
  }

  drawNode(node) {
    const { x, y } = this.layout.place(node);
    const { width, height } = this.layout.size(node);
    const { kind } = this.graph.node(node);
    const name = this.graph.writerName(node);
    const faded = this.lit.has(node) ? "" : " faded";
    const chosen = node === this.isolated;
    const shape = svg("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: kind === "head" ? height / 2 : 3 });
    const group = svg("g", {
      class: `node ${kind}${faded}${chosen ? " chosen" : ""}`,
      "data-node": node,
      tabindex: "-1",
      role: "button",
      "aria-pressed": String(chosen),
      "aria-label": this.describe(node).join(", "),
    }, shape, svg("text", { x, y: y + 4 }, name));
    group.addEventListener("focus", () => {
      this.svg.querySelector('.node[tabindex="0"]')?.setAttribute("tabindex", "-1");
      group.setAttribute("tabindex", "0");
      this.lastFocus = node;
      if (group.matches(":focus-visible")) tooltip.showBeside(group, this.describe(node));
    });
    group.addEventListener("blur", () => tooltip.hide());
    return group;
  }

  // The edges into and out of a node, strongest first.
  edgesAt(node) {
    return {
      into: this.circuit.filter(edge => this.graph.nodeOfColumn[this.graph.column(edge)] === node),
      outOf: this.circuit.filter(edge => this.graph.row(edge) === node),
    };
  }

  describe(node) {
    const { into, outOf } = this.degrees;
    const lines = [this.graph.writerName(node)];
    const score = this.method.nodeScores?.[node];
    if (score !== undefined && !Number.isNaN(score)) lines.push(`score ${scoreText(score)}`);
    if (node !== 0) lines.push(`${plural(into[node], "edge")} in`);
    if (node !== this.graph.logitsNode) lines.push(`${plural(outOf[node], "edge")} out`);
    return lines;
  }

  describeEdge(edge) {
    const score = this.method.scores[edge];
    const kind = EDGE_KINDS[this.graph.inputKind(this.graph.column(edge))].name;
    return [
      this.graph.edgeName(edge), `score ${scoreText(score)}`,
      `rank ${count(this.method.ranks[edge])} of ${count(this.graph.edgeCount)}`, `feeds: ${kind}`,
    ];
  }

  hover(event) {
    const group = event.target.closest?.(".node");
    if (group) {
      this.mark(null);
      tooltip.show(event.clientX, event.clientY, this.describe(Number(group.dataset.node)));
      return;
    }
    const box = this.svg.getBoundingClientRect();
    const place = this.nearest(event.clientX - box.left, event.clientY - box.top);
    this.mark(place);
    if (place === null) tooltip.hide();
    else tooltip.show(event.clientX, event.clientY, this.describeEdge(this.shown[place]));
  }

  unhover() {
    this.mark(null);
    tooltip.hide();
  }

  // Lights up the edge under the pointer.
  mark(place) {
    if (place === this.marked) return;
    this.marked = place;
    this.svg.querySelector(".marked")?.remove();
    if (place === null) return;
    const c = this.curves[place];
    const d = `M${c.x0} ${c.y0}C${c.cx0} ${c.cy0} ${c.cx1} ${c.cy1} ${c.x1} ${c.y1}`;
    this.svg.prepend(svg("path", { d, class: "marked", "stroke-width": this.lineWidth(this.shown[place]) + 2 }));
  }

  // The place of the drawn edge nearest to a point, or null where none is near.
  nearest(x, y) {
    let best = null;
    let distance = REACH * REACH;
    this.curves.forEach((c, i) => {
      if (y > c.y0 + REACH || y < c.y1 - REACH) return;
      if (x < Math.min(c.x0, c.x1, c.cx0, c.cx1) - REACH || x > Math.max(c.x0, c.x1, c.cx0, c.cx1) + REACH) return;
      const near = squaredDistance(c, x, y);
      if (near < distance) [best, distance] = [i, near];
    });
    return best;
  }

  click(event) {
    const group = event.target.closest(".node");
    if (group) this.isolate(Number(group.dataset.node));
    else this.clear();
  }

  key(event) {
    const node = Number(event.target.dataset.node);
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (step) {
      const next = this.neighbour(node, step);
      if (next !== null) this.svg.querySelector(`.node[data-node="${next}"]`).focus();
      event.preventDefault();
    } else if (event.key === "Enter" || event.key === " ") {
      this.isolate(node);
      event.preventDefault();
    }
  }

  // The next node of the circuit to a side: within the layer to the left and right, in the nearest row above and below.
  neighbour(node, [dx, dy]) {
    const here = this.layout.place(node);
    const layer = this.graph.node(node).layer;
    let best = null, least = Infinity;
    for (const other of this.nodes) {
      const there = this.layout.place(other);
      const across = (there.x - here.x) * dx;
      const along = (there.y - here.y) * dy;
      if (dx !== 0 ? across <= 0 || this.graph.node(other).layer !== layer : along <= 0) continue;
      const cost = dx !== 0 ? across : along * 1000 + Math.abs(there.x - here.x);
      if (cost < least) [best, least] = [other, cost];
    }
    return best;
  }
}

// From a point to a curve, measured against 24 chords.
function squaredDistance(curve, x, y) {
  const pieces = 24;
  let from = curvePoint(curve, 0);
  let least = Infinity;
  for (let i = 1; i <= pieces; i++) {
    const to = curvePoint(curve, i / pieces);
    const dx = to.x - from.x, dy = to.y - from.y;
    const length = dx * dx + dy * dy;
    const t = length > 0 ? Math.max(0, Math.min(1, ((x - from.x) * dx + (y - from.y) * dy) / length)) : 0;
    const ex = x - from.x - t * dx, ey = y - from.y - t * dy;
    least = Math.min(least, ex * ex + ey * ey);
    from = to;
  }
  return least;
}
