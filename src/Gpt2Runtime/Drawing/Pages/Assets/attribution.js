"use strict";
// Draws the graph that the page holds. Nothing is fetched.
(() => {
  const data = JSON.parse(document.getElementById("graph-data").textContent);
  const made = data.gradpath;
  const tokens = data.metadata.prompt_tokens;
  const layers = made.layers.length;
  const strongest = 150;
  const svgNames = "http://www.w3.org/2000/svg";
  const byId = new Map(data.nodes.map((n) => [n.node_id, n]));

  function element(name, text, parent) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  function drawn(name, attributes, parent) {
    const made = document.createElementNS(svgNames, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    parent.append(made);
    return made;
  }

  function shown(token) {
    return token.replace(/ /g, "\u00b7").replace(/\n/g, "\u21b5");
  }

  function number(value) {
    return Math.abs(value) >= 0.001 && Math.abs(value) < 10000 ? value.toPrecision(3) : value.toExponential(2);
  }

  function isError(n) {
    return n.feature_type === "mlp reconstruction error";
  }

  function name(n) {
    const at = n.feature_type === "logit" ? "" : ` at ${n.ctx_idx} \u201c${shown(tokens[n.ctx_idx])}\u201d`;
    if (n.clerp) return n.clerp + (n.feature_type === "embedding" ? ` at ${n.ctx_idx}` : at);
    return `Layer ${n.layer}, feature ${n.node_id.split("_")[1]}${at}`;
  }

  function table(parent, heads, rows) {
    const made = element("table", undefined, parent);
    const head = element("tr", undefined, element("thead", undefined, made));
    for (const text of heads) element("th", text, head);
    const body = element("tbody", undefined, made);
    for (const row of rows) {
      const line = element("tr", undefined, body);
      for (const text of row) element("td", text, line);
    }
  }

  const facts = document.getElementById("facts");
  const logits = data.nodes.filter((n) => n.feature_type === "logit");
  for (const [head, text] of [
    ["Prompt", data.metadata.prompt],
    ["Next token", logits.map((n) => n.clerp.replace("Output ", "")).join(", ")],
    ["Model", made.model ?? ""],
    ["Transcoders", data.metadata.scan],
    ["Kept", `${data.nodes.length} nodes, ${data.links.length} edges`],
    ["Replacement score", number(made.replacement_score)],
    ["Completeness", number(made.completeness_score)],
  ]) {
    const part = element("div", undefined, facts);
    element("dt", head, part);
    element("dd", text, part);
  }
  table(document.getElementById("layers"), ["Layer", "Features", "Active", "Active a position", "Unexplained variance"],
    made.layers.map((l) => [l.layer, l.features, l.active, number(l.l0), l.fvu === null ? "-" : number(l.fvu)]));

  // A cell is a layer and a position; its nodes stand in rows of six.
  const across = 6, step = 16, left = 70, top = 24;
  const rowOf = (n) => n.layer === "E" ? 0 : n.feature_type === "logit" ? layers + 1 : Number(n.layer) + 1;
  const cells = new Map();
  for (const n of data.nodes) {
    const key = `${rowOf(n)} ${n.ctx_idx}`;
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(n);
  }
  const widths = tokens.map((text, i) => {
    let most = 1;
    for (let r = 0; r <= layers + 1; r++) most = Math.max(most, Math.min(across, (cells.get(`${r} ${i}`) ?? []).length));
    return Math.max(most * step, 8 * shown(text).length) + 14;
  });
  const heights = [];
  for (let r = 0; r <= layers + 1; r++) {
    let most = 1;
    tokens.forEach((_, i) => { most = Math.max(most, Math.ceil((cells.get(`${r} ${i}`) ?? []).length / across)); });
    heights.push(most * step + 22);
  }
  const starts = widths.map((_, i) => left + widths.slice(0, i).reduce((a, b) => a + b, 0));
  const floor = (r) => top + heights.slice(r + 1).reduce((a, b) => a + b, 0);
  const width = left + widths.reduce((a, b) => a + b, 0) + 10;
  const height = top + heights.reduce((a, b) => a + b, 0) + 30;
  const holder = document.getElementById("graph");
  const svg = drawn("svg", { class: "attribution", width, height, viewBox: `0 0 ${width} ${height}`, role: "group" }, holder);
  heights.forEach((h, r) => {
    if (r % 2) drawn("rect", { class: "row", x: 0, y: floor(r), width, height: h }, svg);
    drawn("text", { x: 6, y: floor(r) + (h / 2) + 4 }, svg).textContent = r === 0 ? "tokens" : r > layers ? "logits" : `layer ${r - 1}`;
  });
  tokens.forEach((text, i) => { drawn("text", { x: starts[i], y: height - 12 }, svg).textContent = shown(text); });
  const lines = drawn("g", {}, svg);
  const places = new Map(), shapes = new Map();
  for (const [key, nodes] of cells) {
    const [row, column] = key.split(" ").map(Number);
    nodes.sort((a, b) => (a.influence ?? 0) - (b.influence ?? 0));
    nodes.forEach((n, i) => {
      const x = starts[column] + 8 + ((i % across) * step), y = floor(row) + 16 + (Math.floor(i / across) * step);
      places.set(n.node_id, [x, y]);
      const kind = n.activation !== null ? "node feature" : isError(n) ? "node error" : "node";
      const shape = kind === "node feature"
        ? drawn("circle", { class: kind, cx: x, cy: y, r: 5.5 }, svg)
        : drawn("rect", {
          class: kind, x: x - 4.5, y: y - 4.5, width: 9, height: 9, ...(isError(n) ? { transform: `rotate(45 ${x} ${y})` } : {}),
        }, svg);
      shape.setAttribute("tabindex", "0");
      shape.setAttribute("role", "button");
      shape.setAttribute("aria-label", name(n));
      drawn("title", {}, shape).textContent = name(n) + (n.activation === null ? "" : `, activation ${number(n.activation)}`);
      shape.addEventListener("click", (e) => { choose(n); e.stopPropagation(); });
      shape.addEventListener("keydown", (e) => { if (e.key === "Enter") choose(n); });
      shapes.set(n.node_id, shape);
    });
  }

  function draw(links) {
    lines.replaceChildren();
    const most = Math.max(...links.map((l) => Math.abs(l.weight)), 1e-30);
    for (const link of links) {
      const [x1, y1] = places.get(link.source), [x2, y2] = places.get(link.target), share = Math.abs(link.weight) / most;
      drawn("line", {
        class: link.weight < 0 ? "edge below" : "edge", x1, y1, x2, y2, "stroke-width": 0.5 + (3 * share), opacity: 0.25 + (0.7 * share),
      }, lines);
    }
  }

  function choose(n) {
    const links = data.links.filter((l) => l.source === n.node_id || l.target === n.node_id);
    links.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
    const near = new Set(links.flatMap((l) => [l.source, l.target]).concat(n.node_id));
    for (const [id, shape] of shapes) {
      shape.classList.toggle("faded", !near.has(id));
      shape.classList.toggle("chosen", id === n.node_id);
    }
    draw(links);
    document.getElementById("status").textContent = `${name(n)}: ${links.length} edges`;
    const details = document.getElementById("details");
    details.replaceChildren();
    details.hidden = false;
    table(details, ["Direction", "Node", "Weight"], links.map((l) => [
      l.target === n.node_id ? "from" : "to", name(byId.get(l.target === n.node_id ? l.source : l.target)), number(l.weight)]));
  }

  function clear() {
    for (const shape of shapes.values()) shape.classList.remove("faded", "chosen");
    const links = [...data.links].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, strongest);
    draw(links);
    document.getElementById("status").textContent = `the ${links.length} strongest of ${data.links.length} edges`;
    document.getElementById("details").hidden = true;
  }

  svg.addEventListener("click", clear);
  document.addEventListener("keydown", (e) => { if (e.key === "Escape") clear(); });
  clear();
})();
