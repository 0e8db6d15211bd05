"use strict";

// Line charts: one line per method, with a band where there is one. Methods differ in colour, dashes and marker.
//
// A chart is { xLabel, yLabel, logX, from (the least span of y), lines (heights to mark), series }; a series is
// { name, place (of the method in the report), points: [{ x, y, low, high, lines of the tooltip }] }.

const SERIES_DASHES = [null, "7 4", "2 3", "10 3 2 3"];
const SERIES_COLOURS = 6;
const MARKERS = [
  (x, y) => svg("circle", { cx: x, cy: y, r: 4 }),
  (x, y) => svg("rect", { x: x - 3.5, y: y - 3.5, width: 7, height: 7 }),
  (x, y) => svg("path", { d: `M${x} ${y - 5}L${x + 5} ${y + 4}L${x - 5} ${y + 4}Z` }),
  (x, y) => svg("path", { d: `M${x} ${y - 5}L${x + 5} ${y}L${x} ${y + 5}L${x - 5} ${y}Z` }),
];
const FRAME = { left: 52, right: 28, top: 12, bottom: 42, height: 300 };

function drawChart(container, chart) {
  const width = container.clientWidth;
  const { height } = FRAME;
  const points = chart.series.flatMap(series => series.points);
  const [x, xTicks] = chart.logX ? logScale(points.map(p => p.x), FRAME.left, width - FRAME.right)
    : linearScale(span(points.map(p => p.x)), FRAME.left, width - FRAME.right, true);
  const heights = [...points.flatMap(p => [p.y, p.low ?? p.y, p.high ?? p.y]), ...chart.from];
  const [y, yTicks] = linearScale(span(heights), height - FRAME.bottom, FRAME.top, false);

  const plot = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${chart.yLabel} by ${chart.xLabel}` });
  for (const tick of yTicks) {
    plot.append(svg("line", { x1: FRAME.left, x2: width - FRAME.right, y1: y(tick), y2: y(tick), class: chart.lines.includes(tick) ? "grid strong" : "grid" }));
    plot.append(svg("text", { x: FRAME.left - 7, y: y(tick) + 4, "text-anchor": "end" }, shortNumber(tick)));
  }
  for (const tick of xTicks) {
    plot.append(svg("line", { x1: x(tick), x2: x(tick), y1: height - FRAME.bottom, y2: height - FRAME.bottom + 4, class: "tick" }));
    plot.append(svg("text", { x: x(tick), y: height - FRAME.bottom + 18, "text-anchor": "middle" }, chart.xText ? chart.xText(tick) : shortNumber(tick)));
  }
  plot.append(svg("text", { x: (FRAME.left + width - FRAME.right) / 2, y: height - 6, "text-anchor": "middle", class: "axis" }, chart.xLabel));
  for (const series of chart.series) plot.append(bandOf(series, x, y));
  for (const series of chart.series) plot.append(lineOf(series, x, y));
  container.replaceChildren(html("div", { class: "axis-name" }, chart.yLabel), plot, legendOf(chart.series));
}

function seriesClass(series) {
  return `series-${series.place % SERIES_COLOURS}`;
}

function bandOf(series, x, y) {
  const banded = series.points.filter(p => p.low !== null && p.high !== null);
  const group = svg("g", { class: `band ${seriesClass(series)}` });
  if (banded.length === 1) {
    const [p] = banded;
    group.append(svg("path", { class: "whisker", d: `M${x(p.x)} ${y(p.low)}V${y(p.high)}` }));
  } else if (banded.length > 1) {
    const upper = banded.map(p => `${x(p.x)} ${y(p.high)}`);
    const lower = banded.map(p => `${x(p.x)} ${y(p.low)}`).reverse();
    group.append(svg("path", { d: `M${[...upper, ...lower].join("L")}Z` }));
  }
  return group;
}

function lineOf(series, x, y) {
  const group = svg("g", { class: `line ${seriesClass(series)}` });
  const route = series.points.map(p => `${x(p.x)} ${y(p.y)}`).join("L");
  group.append(svg("path", { d: `M${route}`, "stroke-dasharray": SERIES_DASHES[series.place % SERIES_DASHES.length] }));
  for (const p of series.points) {
    const lines = [series.name, ...p.lines];
    const marker = fill(MARKERS[series.place % MARKERS.length](x(p.x), y(p.y)), { class: "marker", tabindex: "0", role: "img", "aria-label": lines.join(", ") }, []);
    marker.addEventListener("pointerenter", event => tooltip.show(event.clientX, event.clientY, lines));
    marker.addEventListener("pointerleave", () => tooltip.hide());
    marker.addEventListener("focus", () => tooltip.showBeside(marker, lines));
    marker.addEventListener("blur", () => tooltip.hide());
    group.append(marker);
  }
  return group;
}

function legendOf(series) {
  return html("ul", { class: "legend" }, ...series.map(s => {
    const sample = svg("svg", { width: 34, height: 12, class: `line ${seriesClass(s)}`, "aria-hidden": "true" },
      svg("path", { d: "M1 6H33", "stroke-dasharray": SERIES_DASHES[s.place % SERIES_DASHES.length] }),
      fill(MARKERS[s.place % MARKERS.length](17, 6), { class: "marker" }, []));
    return html("li", {}, sample, s.name);
  }));
}

function span(values) {
  const low = Math.min(...values), high = Math.max(...values);
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

// Places for values, and round ticks between them: whole numbers, or about five with a little room above and below.
function linearScale([low, high], from, to, whole) {
  const raw = (high - low) / 5;
  const power = Math.pow(10, Math.floor(Math.log10(raw)));
  let step = [1, 2, 5, 10].find(s => s * power >= raw * 0.999) * power;
  if (whole) step = Math.max(1, Math.round(step));
  const room = whole ? 0 : (high - low) * 0.04;
  const start = low - (low === 0 ? 0 : room), end = high + room;
  const ticks = [];
  for (let i = Math.ceil(start / step - 1e-9); i * step <= end + step * 1e-9; i++) ticks.push(Number((i * step).toPrecision(12)));
  return [value => from + (value - start) / (end - start) * (to - from), ticks];
}

// The same with a logarithm: ticks at 1, 2 and 5 times powers of ten, or only the powers where those would be crowded.
function logScale(values, from, to) {
  let [low, high] = [Math.min(...values), Math.max(...values)].map(Math.log10);
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const room = (to - from) / (high - low);
  const ticks = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const digit of room > 130 ? [1, 2, 5] : [1]) {
      const tick = Number((digit * Math.pow(10, power)).toPrecision(6));
      if (Math.log10(tick) >= low - 1e-9 && Math.log10(tick) <= high + 1e-9) ticks.push(tick);
    }
  }
  return [value => from + (Math.log10(value) - low) / (high - low) * (to - from), ticks];
}

// What each figure shows of a method.
function curveSeries(method, place) {
  return {
    name: method.name,
    place,
    points: method.curve.map(p => ({
      x: p.fraction, y: p.faithfulness, low: p.low, high: p.high,
      lines: [
        `faithfulness ${shortNumber(p.faithfulness)}${p.low === null || p.high === null ? "" : ` (${shortNumber(p.low)} to ${shortNumber(p.high)})`}`,
        `${plural(p.edges, "edge")}, ${count(p.edgesAfterPrune)} after pruning`, `${shortNumber(p.fraction * 100)} % of all`,
      ],
    })),
  };
}

function pathSeries(method, place, quantity, label) {
  return {
    name: method.name,
    place,
    points: method.path.map(p => {
      const [mean, low, high] = p[quantity];
      const band = low === null ? "" : ` (${shortNumber(low)} to ${shortNumber(high)})`;
      return { x: p.step, y: mean, low, high, lines: [`point ${p.step}`, `${label} ${shortNumber(mean)}${band}`, plural(p.items, "prompt pair")] };
    }),
  };
}

function trainingSeries(method, place, name, quantity) {
  return {
    name,
    place,
    points: method.training.map(w => ({
      x: (w.from + w.to) / 2, y: w[quantity], low: null, high: null,
      lines: [
        w.from === w.to ? `step ${count(w.from)}` : `steps ${count(w.from)} to ${count(w.to)}`,
        `KL ${shortNumber(w.kl)}, loss ${shortNumber(w.loss)}`, `sparsity ${shortNumber(w.sparsity)}, target ${shortNumber(w.target)}`,
      ],
    })),
  };
}
