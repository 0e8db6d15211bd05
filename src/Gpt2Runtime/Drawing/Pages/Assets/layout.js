"use strict";

// Where nodes stand and how edges run. The program's SVG drawings follow the same rules (DrawingLayout.cs).
//
// A layer is one step high, the more layers the lower. Its heads stand side by side, its MLP in the last column, half a step up, because it reads the heads.
// The input is a bar at the bottom, the logits one at the top; edges leave and reach them spread out by where they come from and go to.

const LAYOUT = { left: 40, right: 12, top: 14, bar: 24, gap: 66, nodeHeight: 20, narrowest: 50, widest: 88, leastStep: 62, mostStep: 96, room: 620 };

class Layout {
  constructor(graph, width) {
    this.graph = graph;
    const columns = graph.heads + 1;
    const room = (width - LAYOUT.left - LAYOUT.right) / columns;
    this.column = Math.min(LAYOUT.widest, Math.max(LAYOUT.narrowest, Math.floor(room)));
    this.nodeWidth = Math.min(58, this.column - 6);
    this.left = LAYOUT.left + Math.max(0, Math.floor((room - this.column) * columns / 2));
    this.width = Math.max(Math.floor(width), this.left + columns * this.column + LAYOUT.right);
    this.step = Math.max(LAYOUT.leastStep, Math.min(LAYOUT.mostStep, LAYOUT.room / graph.layers));
    this.top = LAYOUT.top + LAYOUT.bar / 2;
    this.bottom = this.top + LAYOUT.gap + (graph.layers - 0.5) * this.step + LAYOUT.gap * 0.75;
    this.height = this.bottom + LAYOUT.bar / 2 + LAYOUT.top;
    this.middle = this.left + columns * this.column / 2;
    this.barWidth = Math.max(90, columns * this.column * 0.4);
  }

  // Centre of a node.
  place(node) {
    const { kind, layer, head } = this.graph.node(node);
    if (kind === "input") return { x: this.middle, y: this.bottom };
    if (kind === "logits") return { x: this.middle, y: this.top };
    const y = this.bottom - LAYOUT.gap * 0.75 - layer * this.step - (kind === "mlp" ? this.step / 2 : 0);
    return { x: this.left + (head + 0.5) * this.column, y };
  }

  size(node) {
    const bar = node === 0 || node === this.graph.logitsNode;
    return bar ? { width: this.barWidth, height: LAYOUT.bar } : { width: this.nodeWidth, height: LAYOUT.nodeHeight };
  }

  // The curve of an edge: from the top of its writer to the bottom of its reader, where queries come in at the left, keys in the
  // middle and values at the right. Between nodes that stand above each other it swings out to the side of the nodes between.
  edge(row, column) {
    const target = this.graph.nodeOfColumn[column];
    const kind = this.graph.inputKind(column);
    const from = this.place(row);
    const to = this.place(target);
    const spread = this.barWidth / (this.graph.heads + 1) / this.column;
    let x0 = from.x, x1 = to.x + (kind < 3 ? (kind - 1) * this.nodeWidth * 0.3 : 0);
    if (row === 0) x0 += (to.x - from.x) * spread;
    if (target === this.graph.logitsNode) x1 += (from.x - to.x) * spread;
    const y0 = from.y - this.size(row).height / 2;
    const y1 = to.y + this.size(target).height / 2;
    const rise = y0 - y1;
    const pull = Math.max(14, rise * 0.42);
    const over = rise > this.step && Math.abs(x1 - x0) < this.column * 0.6;
    const swing = over ? (x0 < this.middle ? 1 : -1) * this.column * Math.min(1.3, 0.62 + rise / 1500) : 0;
    return { x0, y0, cx0: x0 + swing, cy0: y0 - pull, cx1: x1 + swing, cy1: y1 + pull, x1, y1 };
  }
}

// A point of a cubic curve, t from 0 to 1.
function curvePoint(c, t) {
  const s = 1 - t;
  const a = s * s * s, b = 3 * s * s * t, d = 3 * s * t * t, e = t * t * t;
  return { x: a * c.x0 + b * c.cx0 + d * c.cx1 + e * c.x1, y: a * c.y0 + b * c.cy0 + d * c.cy1 + e * c.y1 };
}
