"use strict";

// The model's computational graph, the scores of its edges, and the circuit that a number of edges stands for.
//
// Rows are writers, columns are readers. A row's edges are the columns from firstColumn[row] to the last, so edges are numbered
// row by row without gaps, in the order of the flat index row * readers + column.

class ComputationGraph {
  constructor(layers, heads) {
    this.layers = layers;
    this.heads = heads;
    this.writers = 1 + layers * (heads + 1);
    this.readers = layers * (3 * heads + 1) + 1;
    this.logitsNode = this.writers;
    this.firstColumn = new Int32Array(this.writers);
    this.firstEdge = new Int32Array(this.writers + 1);
    for (let row = 0; row < this.writers; row++) {
      const { kind, layer } = this.node(row);
      const block = 3 * heads + 1;
      this.firstColumn[row] = kind === "input" ? 0 : kind === "head" ? layer * block + 3 * heads : (layer + 1) * block;
      this.firstEdge[row + 1] = this.firstEdge[row] + this.readers - this.firstColumn[row];
    }
    this.edgeCount = this.firstEdge[this.writers];
    this.rowOfEdge = new Uint16Array(this.edgeCount);
    for (let row = 0; row < this.writers; row++) this.rowOfEdge.fill(row, this.firstEdge[row], this.firstEdge[row + 1]);
    this.nodeOfColumn = Int32Array.from({ length: this.readers }, (_, column) => this.readerNode(column));
  }

  // What a node is: its kind, its layer and, for a head, its place in the layer.
  node(node) {
    if (node === 0) return { kind: "input", layer: -1 };
    if (node === this.logitsNode) return { kind: "logits", layer: this.layers };
    const layer = Math.floor((node - 1) / (this.heads + 1));
    const head = (node - 1) % (this.heads + 1);
    return head === this.heads ? { kind: "mlp", layer, head } : { kind: "head", layer, head };
  }

  readerNode(column) {
    const block = 3 * this.heads + 1;
    if (column === this.readers - 1) return this.logitsNode;
    const within = column % block;
    const start = 1 + Math.floor(column / block) * (this.heads + 1);
    return within === 3 * this.heads ? start + this.heads : start + within % this.heads;
  }

  // What an edge feeds: 0, 1, 2 for a query, key or value, 3 for an MLP, 4 for the logits.
  inputKind(column) {
    if (column === this.readers - 1) return 4;
    return Math.floor((column % (3 * this.heads + 1)) / this.heads);
  }

  edge(row, column) {
    return column >= this.firstColumn[row] ? this.firstEdge[row] + column - this.firstColumn[row] : -1;
  }

  row(edge) {
    return this.rowOfEdge[edge];
  }

  column(edge) {
    const row = this.rowOfEdge[edge];
    return edge - this.firstEdge[row] + this.firstColumn[row];
  }

  writerName(node) {
    const { kind, layer, head } = this.node(node);
    return kind === "head" ? `a${layer}.h${head}` : kind === "mlp" ? `m${layer}` : kind;
  }

  readerName(column) {
    const name = this.writerName(this.nodeOfColumn[column]);
    const kind = this.inputKind(column);
    return kind < 3 ? `${name}<${"qkv"[kind]}>` : name;
  }

  edgeName(edge) {
    return `${this.writerName(this.row(edge))}->${this.readerName(this.column(edge))}`;
  }
}

// One method's scores, edge by edge, and their ranking.
class MethodScores {
  constructor(graph, data) {
    this.graph = graph;
    this.name = data.name;
    this.scores = new Float32Array(decodeBase64(data.scores).buffer);
    this.nodeScores = data.nodeScores ? new Float32Array(decodeBase64(data.nodeScores).buffer) : null;
    this.bits = data.circuit ? decodeBase64(data.circuit) : null;
    this.path = data.path ?? null;
    this.curve = data.curve ?? null;
    this.training = data.training ?? null;
    this.provenance = data.provenance;
    this.largest = this.scores.reduce((most, score) => Math.max(most, Math.abs(score)), 0);
  }

  // Edges by falling |score|; equal ones by rising flat index. A key holds the score's bits, inverted, above the edge's number:
  // 31 + 22 bits, which a double holds exactly.
  get ranking() {
    if (!this.order) {
      const bits = new Uint32Array(this.scores.buffer, this.scores.byteOffset, this.scores.length);
      const keys = new Float64Array(bits.length);
      for (let e = 0; e < keys.length; e++) keys[e] = (0x7fffffff - (bits[e] & 0x7fffffff)) * 0x400000 + e;
      keys.sort();
      this.order = Uint32Array.from(keys, key => key % 0x400000);
    }
    return this.order;
  }

  // The rank of every edge, from 1.
  get ranks() {
    if (!this.rankOf) {
      this.rankOf = new Uint32Array(this.scores.length);
      this.ranking.forEach((edge, place) => { this.rankOf[edge] = place + 1; });
    }
    return this.rankOf;
  }

  // The circuit of the n strongest edges, strongest first.
  strongest(n) {
    return prune(this.graph, this.ranking.subarray(0, n));
  }

  // The circuit that the file itself marks, strongest first, as it stands.
  get fileCircuit() {
    return this.bits ? this.ranking.filter(edge => this.bits[edge >> 3] >> (edge & 7) & 1) : null;
  }
}

// Drops nodes without an outgoing edge, nodes other than the input without an incoming one, and their edges, until nothing changes.
// In a graph without cycles that leaves the edges on a path from input to logits: those whose writer can be reached from the input
// and whose reader reaches the logits. Sorted by writer, one sweep up and one down decide both.
function prune(graph, edges) {
  const byWriter = edges.slice().sort();
  const fed = new Uint8Array(graph.writers + 1);
  const used = new Uint8Array(graph.writers + 1);
  fed[0] = 1;
  used[graph.logitsNode] = 1;
  for (let i = 0; i < byWriter.length; i++) {
    if (fed[graph.row(byWriter[i])]) fed[graph.nodeOfColumn[graph.column(byWriter[i])]] = 1;
  }
  for (let i = byWriter.length - 1; i >= 0; i--) {
    if (used[graph.nodeOfColumn[graph.column(byWriter[i])]]) used[graph.row(byWriter[i])] = 1;
  }
  return edges.filter(edge => fed[graph.row(edge)] && used[graph.nodeOfColumn[graph.column(edge)]]);
}

// The edges on a path from input to logits that passes through a node.
function through(graph, edges, node) {
  const above = new Uint8Array(graph.writers + 1);
  const below = new Uint8Array(graph.writers + 1);
  above[node] = below[node] = 1;
  const byWriter = edges.slice().sort();
  for (let i = 0; i < byWriter.length; i++) {
    if (above[graph.row(byWriter[i])]) above[graph.nodeOfColumn[graph.column(byWriter[i])]] = 1;
  }
  for (let i = byWriter.length - 1; i >= 0; i--) {
    if (below[graph.nodeOfColumn[graph.column(byWriter[i])]]) below[graph.row(byWriter[i])] = 1;
  }
  return edges.filter(edge => above[graph.row(edge)] || below[graph.nodeOfColumn[graph.column(edge)]]);
}

function decodeBase64(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
