"use strict";

// Puts the page together: reads the data, connects the controls with the figures.

// Positions of the slider: every number of edges up to 20, then steps of about 5 %, and all edges.
function sliderStops(edgeCount) {
  const stops = [];
  for (let n = 1; n < edgeCount; n = Math.max(n + 1, Math.floor(n * 1.05))) stops.push(n);
  return [...stops, edgeCount];
}

class Report {
  constructor(data) {
    this.data = data;
    this.graph = new ComputationGraph(data.layers, data.heads);
    this.methods = data.methods.map(method => new MethodScores(this.graph, method));
    this.method = this.methods[0];
    this.stops = sliderStops(this.graph.edgeCount);
    this.size = Math.min(data.top, this.graph.edgeCount);
    if (data.view === "graph") {
      for (const id of ["matrix", "curve", "path", "training", "strongest", "sign", "provenance"]) byId(id).remove();
    }
    this.startTheme();
    drawFacts(byId("facts"), data.facts);
    this.startCircuit();
    if (data.view !== "graph") this.startFigures();
    this.showMethod();
  }

  startTheme() {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const button = byId("theme");
    const apply = isDark => {
      document.documentElement.dataset.theme = isDark ? "dark" : "light";
      button.setAttribute("aria-pressed", String(isDark));
      this.redraw?.();
    };
    apply(dark.matches);
    dark.addEventListener("change", () => apply(dark.matches));
    button.addEventListener("click", () => apply(document.documentElement.dataset.theme !== "dark"));
  }

  startCircuit() {
    byId("method").append(...this.methods.map((method, place) => html("option", { value: place }, method.name)));
    byId("method").addEventListener("change", event => {
      this.method = this.methods[event.target.value];
      this.showMethod();
    });
    for (const part of document.querySelectorAll("#method, label[for=method]")) part.hidden = this.methods.length === 1;
    const slider = byId("size"), exact = byId("size-exact");
    slider.max = this.stops.length - 1;
    exact.max = this.graph.edgeCount;
    const soon = oncePerFrame(() => this.showCircuit());
    slider.addEventListener("input", () => {
      this.size = this.stops[slider.value];
      soon();
    });
    exact.addEventListener("input", () => {
      const size = Number(exact.value);
      if (exact.value === "" || !Number.isInteger(size) || size < 0 || size > this.graph.edgeCount) return;
      this.size = size;
      soon();
    });
    exact.addEventListener("blur", () => { exact.value = this.size; });
    byId("selection").addEventListener("change", () => this.showCircuit());
    byId("colouring").addEventListener("change", () => this.showCircuit());
    byId("clear").addEventListener("click", () => this.view.clear());
    document.addEventListener("keydown", event => {
      if (event.key !== "Escape") return;
      tooltip.hide();
      this.view.clear();
    });
    this.view = new GraphView(byId("graph"), this.graph, () => this.tell());
    if (this.data.selection === "file") byId("selection").value = "file";
  }

  startFigures() {
    this.heatMap = new HeatMap(byId("heatmap"), this.graph);
    this.charts = [
      this.chart("curve", "curve-chart", method => method.curve, {
        xLabel: "share of edges", yLabel: "faithfulness", logX: true, from: [0, 1], lines: [0, 1],
        xText: share => `${shortNumber(share * 100)} %`, seriesOf: curveSeries,
      }),
      this.chart("path", "norm-chart", method => method.path, {
        xLabel: "point of the path", yLabel: "norm of the metric's gradient", logX: false, from: [0], lines: [0],
        seriesOf: (method, place) => pathSeries(method, place, "norm", "gradient norm"),
      }),
      this.chart("path", "distance-chart", method => method.path, {
        xLabel: "point of the path", yLabel: "distance of the logits", logX: false, from: [0], lines: [0],
        seriesOf: (method, place) => pathSeries(method, place, "distance", "distance"),
      }),
      this.chart("training", "kl-chart", method => method.training, {
        xLabel: "step", yLabel: "KL(full model || masked model)", logX: false, from: [0], lines: [0],
        seriesOf: (method, place) => trainingSeries(method, place, method.name, "kl"),
      }),
      this.chart("training", "sparsity-chart", method => method.training, {
        xLabel: "step", yLabel: "share of edges left out", logX: false, from: [0, 1], lines: [0, 1],
        seriesOf: (method, place) => [
          trainingSeries(method, place, method.name, "sparsity"),
          trainingSeries(method, place + this.methods.length + this.data.logs.length, `${method.name}: target`, "target"),
        ],
      }),
    ];
    this.drawCharts();
    new EdgeTable(byId("edge-table"), this.graph, this.methods);
    byId("strongest-note").textContent = `Edges among the ${TOP_OF_EACH} strongest of ${this.methods.length > 1 ? "any method" : "the method"}; ranks are by |score|. Click a rank to sort.`;
    drawFacts(byId("signs"), this.methods.map(method =>
      [method.name, method.provenance.find(([key]) => key === "sign")?.[1] ?? "the file does not say how its signs are meant"]));
    if (this.methods.some(method => method.provenance.length > 0)) drawProvenance(byId("provenance-table"), this.methods);
    else byId("provenance").remove();
  }

  // A chart of the methods that have its data, and of logs without scores; its section goes where none has.
  chart(section, container, has, options) {
    const series = [...this.methods, ...this.data.logs].flatMap((method, place) => (has(method) ? options.seriesOf(method, place) : []));
    if (series.length === 0) {
      byId(section)?.remove();
      return null;
    }
    const draw = () => drawChart(byId(container), { ...options, series });
    onWidthChange(byId(container), draw);
    return draw;
  }

  drawCharts() {
    for (const draw of this.charts) draw?.();
  }

  // What is painted, not styled, has to be painted again in other colours.
  redraw() {
    this.view?.draw();
    this.heatMap?.draw();
  }

  showMethod() {
    const hasCircuit = this.method.bits !== null;
    byId("selection-control").hidden = !hasCircuit;
    this.heatMap?.show(this.method);
    this.showCircuit();
  }

  showCircuit() {
    const fromFile = this.method.bits !== null && byId("selection").value === "file";
    byId("size-control").hidden = fromFile;
    const edges = fromFile ? this.method.fileCircuit : this.method.strongest(this.size);
    this.selected = fromFile ? edges.length : this.size;
    const slider = byId("size"), exact = byId("size-exact");
    const stop = this.stops.findIndex(n => n >= this.size);
    slider.value = stop;
    slider.setAttribute("aria-valuetext", plural(this.size, "edge"));
    if (document.activeElement !== exact) exact.value = this.size;
    this.view.show(this.method, edges, byId("colouring").value);
    drawGraphLegend(byId("legend"), byId("colouring").value);
    this.tell();
  }

  // Says in words what the graph shows.
  tell() {
    const { circuit, nodes, shown, isolated } = this.view;
    const status = byId("circuit-status");
    const chosen = `${count(this.selected)} of ${plural(this.graph.edgeCount, "edge")}`;
    const onPath = circuit.length === this.selected ? "" : `; ${count(circuit.length)} of them on a path from input to logits`;
    const inside = [...nodes].filter(node => node !== this.graph.logitsNode).length;
    const capped = isolated === null && shown.length < circuit.length ? ` The ${count(shown.length)} strongest are drawn.` : "";
    status.textContent = circuit.length === 0
      ? `${chosen}: no path from input to logits yet; choose more edges.`
      : `${chosen}${onPath}; ${plural(inside, "node")} besides the logits.${capped}`;
    if (isolated !== null) status.textContent += ` Shown: ${plural(shown.length, "edge")} on paths through ${this.graph.writerName(isolated)}.`;
    byId("clear").disabled = isolated === null;
    this.tellNode(isolated);
  }

  tellNode(node) {
    const box = byId("node-details");
    box.hidden = node === null;
    if (node === null) {
      box.replaceChildren();
      return;
    }
    const { into, outOf } = this.view.edgesAt(node);
    const list = (title, edges) => html("div", {}, html("h3", {}, `${title} (${count(edges.length)})`),
      html("ul", {}, ...Array.from(edges.slice(0, 8), edge => html("li", {}, html("code", {}, this.graph.edgeName(edge)), ` ${scoreText(this.method.scores[edge])}`))),
      ...(edges.length > 8 ? [html("p", { class: "note" }, `and ${plural(edges.length - 8, "weaker one")}`)] : []));
    const parts = [];
    if (into.length > 0) parts.push(list(`Into ${this.graph.writerName(node)}`, into));
    if (outOf.length > 0) parts.push(list(`Out of ${this.graph.writerName(node)}`, outOf));
    box.replaceChildren(...parts);
  }
}

function drawGraphLegend(list, colouring) {
  const sample = (colour, dash, negative) => svg("svg", { width: 40, height: 12, "aria-hidden": "true", style: `color: var(${colour})` },
    svg("path", { d: "M1 6H32", stroke: "currentColor", "stroke-width": "2.2", fill: "none", "stroke-dasharray": dash.join(" ") }),
    negative ? svg("path", { d: "M33 1V11", stroke: "currentColor", "stroke-width": "2" }) : svg("path", { d: "M39 6L32 2V10Z", fill: "currentColor" }));
  const bySign = colouring === "sign";
  const ink = "--edge-logits";
  list.replaceChildren(
    ...EDGE_KINDS.map((kind, i) => html("li", {}, sample(bySign ? ink : kind.colour, kind.dash, false), `to ${kind.name}${i < 3 ? ` (${["left", "middle", "right"][i]})` : ""}`)),
    html("li", {}, sample(bySign ? "--positive" : ink, [], false), "positive score"),
    html("li", {}, sample(bySign ? "--negative" : ink, [], true), "negative score"));
}

window.gradpathReport = new Report(JSON.parse(byId("report-data").textContent));
