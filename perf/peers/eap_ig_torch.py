#!/usr/bin/env python3
"""Edge attribution patching in PyTorch, the way the field writes it, as the peer that Gradpath is timed and checked against.

The model is GPT-2 with its residual stream split: every head writes its own D-wide output, and every head's query, key and value has
an input of its own, [batch, positions, heads, D], that goes through the LayerNorm by itself. Autograd differentiates; a hook on each
reader's input multiplies the gradient with the differences (corrupted - clean) of all earlier writers:

    score[u, v] = mean over items of  sum over positions and D  (corrupted_u - clean_u) . d loss / d input_v

EAP takes the gradient at the clean embedding, EAP-IG the mean over a = 0 .. m-1 of corrupted + (a / m)(clean - corrupted) at the token
embedding. A circuit is evaluated by adding, at each reader, corrupted - current of every writer whose edge it leaves out.

    eap_ig_torch.py score --model DIR --data PAIRS.jsonl --method eap-ig --out scores.json
    eap_ig_torch.py check --model DIR --goldens DIR
    eap_ig_torch.py time [--shape tiny|small|medium|large|xl] [--device cpu|cuda]

Rows and columns of scores are numbered as in Gradpath: writers input, a0.h0 .., m0, ..; readers per layer q of all heads, k, v, m; logits.
"""

import argparse
import json
import math
import os
import resource
import struct
import sys
import time

import torch

SHAPES = {"tiny": (2, 3, 24), "small": (12, 12, 768), "medium": (24, 16, 1024), "large": (36, 20, 1280), "xl": (48, 25, 1600)}
DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class Gpt2:
    """Weights, and a forward pass whose writers and readers can be watched and changed."""

    def __init__(self, layers, heads, width, positions, epsilon, tensors):
        self.layers, self.heads, self.width, self.positions, self.epsilon = layers, heads, width, positions, epsilon
        self.t = tensors
        self.writers = 1 + layers * (heads + 1)
        self.readers = layers * (3 * heads + 1) + 1

    @staticmethod
    def load(directory, device, dtype):
        with open(os.path.join(directory, "config.json")) as file:
            config = json.load(file)
        if config.get("activation_function", "gelu_new") != "gelu_new":
            raise SystemExit(f"{directory}: only gelu_new is implemented here")
        tensors = {name: value.to(device, dtype) for name, value in read_safetensors(os.path.join(directory, "model.safetensors")).items()}
        tensors = {name[len("transformer."):] if name.startswith("transformer.") else name: value for name, value in tensors.items()}
        tensors.setdefault("lm_head.weight", tensors["wte.weight"])
        return Gpt2(config["n_layer"], config["n_head"], config["n_embd"], config["n_positions"], config["layer_norm_epsilon"], tensors)

    @staticmethod
    def random(shape, device):
        layers, heads, width = SHAPES[shape]
        generator = torch.Generator().manual_seed(1)

        def normal(*extents):
            return (0.02 * torch.randn(*extents, generator=generator)).to(device)

        tensors = {"wte.weight": normal(50257, width), "wpe.weight": normal(1024, width)}
        for name in ["ln_f"] + [f"h.{l}.{n}" for l in range(layers) for n in ("ln_1", "ln_2")]:
            tensors[name + ".weight"], tensors[name + ".bias"] = torch.ones(width, device=device), torch.zeros(width, device=device)
        for l in range(layers):
            for name, i, o in (("attn.c_attn", width, 3 * width), ("attn.c_proj", width, width), ("mlp.c_fc", width, 4 * width), ("mlp.c_proj", 4 * width, width)):
                tensors[f"h.{l}.{name}.weight"], tensors[f"h.{l}.{name}.bias"] = normal(i, o), torch.zeros(o, device=device)
        tensors["lm_head.weight"] = tensors["wte.weight"]
        return Gpt2(layers, heads, width, 1024, 1e-5, tensors)

    def embed(self, ids):
        return self.t["wte.weight"][ids]

    def row(self, layer, head):
        return 1 + layer * (self.heads + 1) + head

    def column(self, layer, kind, head=0):
        return layer * (3 * self.heads + 1) + kind * self.heads + head

    def norm(self, x, name):
        x = x - x.mean(-1, keepdim=True)
        x = x / (x.pow(2).mean(-1, keepdim=True) + self.epsilon).sqrt()
        return x * self.t[name + ".weight"] + self.t[name + ".bias"]

    def forward(self, embedding, on_writer, on_reader):
        """Logits of the last position. on_writer(first row, output [b, p, rows, D]); on_reader(first column, count, input) -> input."""
        t, heads, width = self.t, self.heads, self.width
        head_width = width // heads
        batch, positions, _ = embedding.shape
        mask = torch.full((positions, positions), -math.inf, device=embedding.device, dtype=embedding.dtype).triu(1)
        on_writer(0, embedding.unsqueeze(2))
        residual = embedding + t["wpe.weight"][:positions]
        for l in range(self.layers):
            weight = t[f"h.{l}.attn.c_attn.weight"].view(width, 3, heads, head_width)
            bias = t[f"h.{l}.attn.c_attn.bias"].view(3, heads, head_width)
            qkv = []
            for kind in range(3):
                split = residual.unsqueeze(2).expand(-1, -1, heads, -1).clone()
                split = on_reader(self.column(l, kind), heads, split)
                normed = self.norm(split, f"h.{l}.ln_1")
                qkv.append(torch.einsum("bphd,dhe->bphe", normed, weight[:, kind]) + bias[kind])
            scores = torch.einsum("bqhe,bkhe->bhqk", qkv[0], qkv[1]) / math.sqrt(head_width) + mask
            z = torch.einsum("bhqk,bkhe->bqhe", scores.softmax(-1), qkv[2])
            results = torch.einsum("bphe,hed->bphd", z, t[f"h.{l}.attn.c_proj.weight"].view(heads, head_width, width))
            on_writer(self.row(l, 0), results)
            residual = residual + results.sum(2) + t[f"h.{l}.attn.c_proj.bias"]
            entering = on_reader(self.column(l, 3), 1, residual.unsqueeze(2).clone()).squeeze(2)
            hidden = self.norm(entering, f"h.{l}.ln_2") @ t[f"h.{l}.mlp.c_fc.weight"] + t[f"h.{l}.mlp.c_fc.bias"]
            hidden = 0.5 * hidden * (1 + torch.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden.pow(3))))
            output = hidden @ t[f"h.{l}.mlp.c_proj.weight"] + t[f"h.{l}.mlp.c_proj.bias"]
            on_writer(self.row(l, heads), output.unsqueeze(2))
            residual = residual + output
        leaving = on_reader(self.readers - 1, 1, residual.unsqueeze(2).clone()).squeeze(2)
        return self.norm(leaving, "ln_f")[:, -1] @ t["lm_head.weight"].T

    def edges_into(self, column):
        """How many writers come before a reader."""
        layer, kind = divmod(column, 3 * self.heads + 1)
        if column == self.readers - 1:
            return self.writers
        return self.row(layer, self.heads if kind == 3 * self.heads else 0)

    def writer_names(self):
        return ["input"] + [name for l in range(self.layers) for name in [f"a{l}.h{h}" for h in range(self.heads)] + [f"m{l}"]]

    def reader_names(self):
        return [name for l in range(self.layers) for name in [f"a{l}.h{h}<{k}>" for k in "qkv" for h in range(self.heads)] + [f"m{l}"]] + ["logits"]


def read_safetensors(path):
    """8 bytes of header length, a JSON header with dtype, shape and offsets, then the values."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] not in DTYPES:
            continue
        begin, end = entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        tensors[name] = torch.frombuffer(data[begin:end], dtype=dtype).reshape(entry["shape"])
    return tensors


def read_pairs(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def batches(pairs, size):
    """Items of one length together, at most so many; clean ids, corrupted ids and the items' numbers."""
    by_length = {}
    for i, pair in enumerate(pairs):
        by_length.setdefault(len(pair["clean_ids"]), []).append(i)
    for items in by_length.values():
        for first in range(0, len(items), size):
            yield items[first:first + size]


def ids(pairs, items, key, device):
    return torch.tensor([pairs[i][key] for i in items], device=device)


def logit_differences(logits, pairs, items):
    return torch.stack([
        logits[row][pairs[i]["answer_ids"]].mean() - logits[row][pairs[i]["wrong_answer_ids"]].mean() for row, i in enumerate(items)])


def ignore(_, __):
    return None


def unchanged(_, __, x):
    return x


def score(model, pairs, method, steps, batch_size, device):
    """Scores [writers, readers], per-item mean of the loss -(logit difference)."""
    scores = torch.zeros(model.writers, model.readers, device=device, dtype=model.t["wte.weight"].dtype)
    for items in batches(pairs, batch_size):
        clean, corrupted = (model.embed(ids(pairs, items, key, device)) for key in ("clean_ids", "corrupted_ids"))
        delta = torch.zeros(*clean.shape[:2], model.writers, model.width, device=device, dtype=clean.dtype)

        def add(sign):
            def on_writer(row, output):
                delta[:, :, row:row + output.shape[2]] += sign * output
            return on_writer

        with torch.no_grad():
            model.forward(corrupted, add(1), unchanged)
            model.forward(clean, add(-1), unchanged)

        def on_reader(column, count, x):
            before = model.edges_into(column)

            def on_gradient(gradient):
                scores[:before, column:column + count] += torch.einsum("bpud,bpvd->uv", delta[:, :, :before], gradient)
            x.register_hook(on_gradient)
            return x

        points = [clean] if method == "eap" else [corrupted + a / steps * (clean - corrupted) for a in range(steps)]
        for point in points:
            logits = model.forward(point.detach().requires_grad_(True), ignore, on_reader)
            (-logit_differences(logits, pairs, items).sum() / len(points)).backward()
    return scores / len(pairs)


@torch.no_grad()
def evaluate(model, pairs, circuit, batch_size, device):
    """The logit difference of each item when every edge outside the circuit [writers, readers] carries the corrupted output."""
    values = torch.zeros(len(pairs), dtype=model.t["wte.weight"].dtype)
    outside = 1 - circuit.to(device, model.t["wte.weight"].dtype)
    for items in batches(pairs, batch_size):
        clean, corrupted = (model.embed(ids(pairs, items, key, device)) for key in ("clean_ids", "corrupted_ids"))
        difference = torch.zeros(*clean.shape[:2], model.writers, model.width, device=device, dtype=clean.dtype)

        def keep(row, output):
            difference[:, :, row:row + output.shape[2]] = output

        def subtract(row, output):
            difference[:, :, row:row + output.shape[2]] -= output

        def patch(column, count, x):
            before = model.edges_into(column)
            return x + torch.einsum("bpud,uv->bpvd", difference[:, :, :before], outside[:before, column:column + count])

        model.forward(corrupted, keep, unchanged)
        logits = model.forward(clean, subtract, patch)
        values[items] = logit_differences(logits, pairs, items).cpu()
    return values


def check(arguments):
    """Compares with goldens; exit code 1 where one is further off than rounding explains."""
    dtype = torch.float64 if arguments.float64 else torch.float32
    allowed = 1e-9 if arguments.float64 else 1e-5
    model = Gpt2.load(arguments.model, arguments.device, dtype)
    pairs = read_pairs(os.path.join(arguments.goldens, "prompts.jsonl"))
    with open(os.path.join(arguments.goldens, "scores.json")) as file:
        goldens = json.load(file)
    with open(os.path.join(arguments.goldens, "circuits.json")) as file:
        circuits = json.load(file)["circuits"]
    worst = []
    for method, key in (("eap", "EAP"), ("eap-ig", "EAP-IG-inputs")):
        expected = torch.tensor(goldens[f"{key}/logit_diff/per_item_mean"]["matrix"], dtype=torch.float64)
        actual = score(model, pairs, method, 5, arguments.batch_size, arguments.device).cpu().double()
        worst.append((method, ((actual - expected).abs().max() / expected.abs().max()).item()))
    writers, readers = ({name: i for i, name in enumerate(names)} for names in (model.writer_names(), model.reader_names()))
    largest = 0.0
    for golden in circuits:
        mask = torch.zeros(model.writers, model.readers)
        for edge in golden["edges_before_prune"]:
            writer, reader = edge.split("->")
            mask[writers[writer], readers[reader]] = 1
        expected = torch.tensor(golden["logit_diff"], dtype=torch.float64)
        actual = evaluate(model, pairs, mask, arguments.batch_size, arguments.device).double()
        largest = max(largest, ((actual - expected).abs().max() / expected.abs().max()).item())
    worst.append((f"evaluation of {len(circuits)} circuits", largest))
    for name, error in worst:
        print(f"{name}: {error:.1e} (allowed {allowed:.0e})")
    return 0 if all(error <= allowed for _, error in worst) and circuits else 1


def write_scores(arguments):
    """Scores as JSON: {"matrix": [[...]]}."""
    model = Gpt2.load(arguments.model, arguments.device, torch.float64 if arguments.float64 else torch.float32)
    scores = score(model, read_pairs(arguments.data), arguments.method, arguments.steps, arguments.batch_size, arguments.device)
    with open(arguments.out, "w") as file:
        json.dump({"method": arguments.method, "matrix": scores.cpu().tolist()}, file)
    return 0


def times(arguments):
    """W1 (EAP-IG, 5 points) and W3 (a circuit of 1,000 edges) on random weights, as one JSON object."""
    device = arguments.device
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    model = Gpt2.random(arguments.shape, device)
    generator = torch.Generator().manual_seed(2)
    pairs = []
    for _ in range(arguments.pairs):
        clean = torch.randint(50257, (16,), generator=generator).tolist()
        corrupted = clean[:12] + [(clean[12] + 1) % 50257] + clean[13:]
        answers = torch.randperm(50257, generator=generator)[:2].tolist()
        pairs.append({"clean_ids": clean, "corrupted_ids": corrupted, "answer_ids": answers[:1], "wrong_answer_ids": answers[1:]})
    edges = [(u, v) for v in range(model.readers) for u in range(model.edges_into(v))]
    circuit = torch.zeros(model.writers, model.readers)
    for i in torch.randperm(len(edges), generator=generator)[:1000].tolist():
        circuit[edges[i]] = 1
    works = {
        "W1": lambda: score(model, pairs, "eap-ig", 5, 10, device),
        "W3": lambda: evaluate(model, pairs, circuit, 10, device),
    }
    result = {
        "torch": torch.__version__, "threads": torch.get_num_threads(), "vendor_blas": device != "cpu" or torch.backends.mkl.is_available(),
        "device": torch.cuda.get_device_name() if device != "cpu" else "cpu", "pairs": arguments.pairs, "shape": arguments.shape,
    }
    for name, work in works.items():
        seconds = []
        for run in range(arguments.rounds + (1 if arguments.warm_up else 0)):
            start = time.perf_counter()
            work()
            if device != "cpu":
                torch.cuda.synchronize()
            if run >= (1 if arguments.warm_up else 0):
                seconds.append(time.perf_counter() - start)
        result[name] = sorted(seconds)[len(seconds) // 2]
    result["peak_bytes"] = torch.cuda.max_memory_allocated() if device != "cpu" else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(result))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in (("score", write_scores), ("check", check), ("time", times)):
        command = commands.add_parser(name, help=run.__doc__.splitlines()[0])
        command.set_defaults(run=run)
        command.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
        if name == "time":
            command.add_argument("--shape", choices=list(SHAPES), default="small")
            command.add_argument("--pairs", type=int, default=20)
            command.add_argument("--rounds", type=int, default=1)
            command.add_argument("--threads", type=int, default=0)
            command.add_argument("--warm-up", action="store_true", help="one run more, not counted")
            continue
        command.add_argument("--model", required=True)
        command.add_argument("--batch-size", type=int, default=10)
        command.add_argument("--float64", action="store_true")
        if name == "check":
            command.add_argument("--goldens", required=True)
        else:
            command.add_argument("--data", required=True)
            command.add_argument("--method", choices=["eap", "eap-ig"], default="eap-ig")
            command.add_argument("--steps", type=int, default=5)
            command.add_argument("--out", required=True)
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("this PyTorch finds no CUDA device", file=sys.stderr)
        return 2
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
