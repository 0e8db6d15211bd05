"use strict";

// Small helpers: elements, numbers as text, the tooltip. Text from files only ever becomes text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function html(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function byId(id) {
  return document.getElementById(id);
}

function cssValue(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function count(n) {
  return n.toLocaleString("en-US");
}

function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

// A score with its sign, to five places, as the program's tables print it.
function scoreText(score) {
  const size = Math.abs(score);
  if (size === 0) return "0";
  return (score > 0 ? "+" : "-") + (size < 1e-4 || size >= 1e5 ? size.toExponential(3) : size.toFixed(5));
}

// A number on an axis or in a label: at most four digits.
function shortNumber(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace(".0e", "e");
  return String(Number(value.toPrecision(4)));
}

// Calls draw once per frame at most, however often it is asked.
function oncePerFrame(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

// Redraws when an element's width changes, and not when drawing changes its height.
function onWidthChange(element, draw) {
  let width = element.clientWidth;
  new ResizeObserver(oncePerFrame(() => {
    if (element.clientWidth === width) return;
    width = element.clientWidth;
    draw();
  })).observe(element);
}

const tooltip = {
  // Shows lines of text beside a point of the window; the first line is the heading.
  show(x, y, lines) {
    const box = byId("tooltip");
    box.replaceChildren(...lines.map((line, i) => html(i === 0 ? "strong" : "span", {}, line)));
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    const left = x + 14 + width > innerWidth - 4 ? x - 14 - width : x + 14;
    const top = y + 14 + height > innerHeight - 4 ? y - 10 - height : y + 14;
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${Math.max(4, top)}px`;
  },

  hide() {
    byId("tooltip").hidden = true;
  },

  // The same for an element that has the focus.
  showBeside(element, lines) {
    const box = element.getBoundingClientRect();
    this.show(box.right - 8, box.bottom - 8, lines);
  },
};
