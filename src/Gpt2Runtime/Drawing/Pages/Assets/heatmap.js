"use strict";

// The score matrix as a heat map: writers down, readers across. A pixel of the canvas is one edge or, where the matrix is larger than
// the screen, the edge of largest |score| in a block.

const HEAT_STEPS = 256;
const HEAT_POWER = 0.25;

class HeatMap {
  constructor(container, graph) {
    this.graph = graph;
    this.container = container;
    this.canvas = html("canvas", { tabindex: "0", role: "img" });
    this.axes = svg("svg", { "aria-hidden": "true" });
    this.cursor = html("div", { class: "heat-cursor", hidden: "" });
    this.plot = html("div", { class: "heat-plot" }, this.canvas, this.axes, this.cursor);
    this.scale = html("div", { class: "heat-scale" });
    container.append(html("div", { class: "heat-top" }, "reader, by layer"), html("div", { class: "heat-side" }, "writer, by layer"), this.plot, this.scale);
    this.canvas.addEventListener("pointermove", event => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("blur", () => this.point(null));
    this.canvas.addEventListener("keydown", event => this.key(event));
    onWidthChange(container, () => this.draw());
  }

  show(method) {
    this.method = method;
    this.canvas.setAttribute("aria-label", `Scores of ${method.name}, ${this.graph.writers} writers by ${this.graph.readers} readers. Arrow keys move from edge to edge.`);
    this.draw();
  }

  draw() {
    if (!this.method) return;
    const { writers, readers } = this.graph;
    const width = this.plot.clientWidth;
    this.block = Math.max(1, Math.ceil(readers / (width * (window.devicePixelRatio || 1))));
    this.columns = Math.ceil(readers / this.block);
    this.rows = Math.ceil(writers / this.block);
    this.width = width;
    this.height = Math.max(180, Math.round(width * writers / readers));
    this.plot.style.height = `${this.height}px`;
    this.gather();
    this.paint();
    this.drawAxes();
    this.drawScale();
    this.point(null);
  }

  // The strongest edge of every block; -1 where a block holds none.
  gather() {
    const { graph, block, method } = this;
    this.strongest = new Int32Array(this.rows * this.columns).fill(-1);
    for (let row = 0; row < graph.writers; row++) {
      const line = Math.floor(row / block) * this.columns;
      for (let column = graph.firstColumn[row], edge = graph.firstEdge[row]; column < graph.readers; column++, edge++) {
        const cell = line + Math.floor(column / block);
        const best = this.strongest[cell];
        if (best < 0 || Math.abs(method.scores[edge]) > Math.abs(method.scores[best])) this.strongest[cell] = edge;
      }
    }
  }

  paint() {
    this.canvas.width = this.columns;
    this.canvas.height = this.rows;
    const pen = this.canvas.getContext("2d");
    const image = pen.createImageData(this.columns, this.rows);
    const pixels = new Uint32Array(image.data.buffer);
    const palette = heatPalette();
    this.strongest.forEach((edge, cell) => {
      if (edge >= 0) pixels[cell] = palette[HEAT_STEPS + Math.round(HEAT_STEPS * compress(this.method.scores[edge], this.method.largest))];
    });
    pen.putImageData(image, 0, 0);
  }

  // Lines between layers, and their numbers where there is room.
  drawAxes() {
    const { layers, heads, writers, readers } = this.graph;
    const { width, height } = this;
    fill(this.axes, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
    this.axes.replaceChildren();
    const everyColumn = Math.ceil(layers * 18 / width);
    const everyRow = Math.ceil(layers * 14 / height);
    for (let layer = 0; layer < layers; layer++) {
      const x = layer * (3 * heads + 1) / readers * width;
      const y = (1 + layer * (heads + 1)) / writers * height;
      this.axes.append(svg("line", { x1: x, y1: 0, x2: x, y2: height }), svg("line", { x1: 0, y1: y, x2: width, y2: y }));
      const middle = (layer + 0.5) / layers;
      if (layer % everyColumn === 0) this.axes.append(svg("text", { x: middle * width, y: -5, "text-anchor": "middle" }, String(layer)));
      if (layer % everyRow === 0) this.axes.append(svg("text", { x: -6, y: middle * height + 4, "text-anchor": "end" }, String(layer)));
    }
  }

  drawScale() {
    const bar = html("canvas", { width: 2 * HEAT_STEPS + 1, height: 1, "aria-hidden": "true" });
    const pen = bar.getContext("2d");
    const image = pen.createImageData(bar.width, 1);
    new Uint32Array(image.data.buffer).set(heatPalette());
    pen.putImageData(image, 0, 0);
    const most = this.method.largest;
    const ticks = [-1, -0.05, 0, 0.05, 1].map(share => {
      const tick = html("span", {}, share === 0 ? "0" : (share > 0 ? "+" : "-") + shortNumber(Math.abs(share) * most));
      tick.style.left = `${50 + 50 * compress(share, 1)}%`;
      return tick;
    });
    this.scale.replaceChildren(html("div", { class: "heat-ends" }, ...signNames(this.method).map(name => html("span", {}, name))), bar, html("div", { class: "heat-ticks" }, ...ticks));
  }

  hover(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.min(this.columns - 1, Math.max(0, Math.floor((event.clientX - box.left) / box.width * this.columns)));
    const row = Math.min(this.rows - 1, Math.max(0, Math.floor((event.clientY - box.top) / box.height * this.rows)));
    this.point([row, column]);
  }

  // Frames one cell and says what it is.
  point(cell) {
    this.cell = cell;
    const edge = cell === null ? -1 : this.strongest[cell[0] * this.columns + cell[1]];
    this.cursor.hidden = cell === null;
    if (cell === null) {
      tooltip.hide();
      return;
    }
    const [row, column] = cell;
    const w = this.width / this.columns, h = this.height / this.rows;
    Object.assign(this.cursor.style, { left: `${column * w}px`, top: `${row * h}px`, width: `${w}px`, height: `${h}px` });
    tooltip.showBeside(this.cursor, this.describe(edge, cell));
  }

  describe(edge, [row, column]) {
    if (edge < 0) {
      return [`${this.graph.writerName(row * this.block)}, ${this.graph.readerName(column * this.block)}`, "no edge: the reader comes first"];
    }
    const lines = [this.graph.edgeName(edge), `score ${scoreText(this.method.scores[edge])}`];
    if (this.block > 1) lines.push(`the strongest of a block of ${this.block} x ${this.block}`);
    return lines;
  }

  key(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!step) return;
    const [row, column] = this.cell ?? [0, -1];
    this.point([
      Math.min(this.rows - 1, Math.max(0, row + step[0])),
      Math.min(this.columns - 1, Math.max(0, column + step[1])),
    ]);
    event.preventDefault();
  }
}

// What the two ends of the scale mean, as far as the file says.
function signNames(method) {
  const sign = method.provenance.find(([key]) => key === "sign")?.[1] ?? "";
  return sign.startsWith("positive = corrupting the edge hurts") ? ["corrupting it helps", "corrupting it hurts"] : ["negative", "positive"];
}

// A score as a place on the scale from -1 to 1.
function compress(score, largest) {
  return largest > 0 ? Math.sign(score) * Math.pow(Math.abs(score) / largest, HEAT_POWER) : 0;
}

// Colours from the most negative to the most positive, as pixels.
function heatPalette() {
  const stops = ["--heat-2n", "--heat-1n", "--heat-0", "--heat-1p", "--heat-2p"].map(name => {
    const hex = cssValue(name);
    return [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16));
  });
  const palette = new Uint32Array(2 * HEAT_STEPS + 1);
  for (let i = 0; i < palette.length; i++) {
    const place = i / (palette.length - 1) * (stops.length - 1);
    const left = Math.min(stops.length - 2, Math.floor(place));
    const [r, g, b] = stops[left].map((value, channel) => Math.round(value + (stops[left + 1][channel] - value) * (place - left)));
    palette[i] = (255 << 24 | b << 16 | g << 8 | r) >>> 0;
  }
  return palette;
}
