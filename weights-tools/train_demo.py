#!/usr/bin/env python3
"""Trains models/demo, the small GPT-2 that ships with the repository, and writes its model card.

    python3 weights-tools/train_demo.py

1. makes a byte-level BPE vocabulary from the word lists of the prompt generators (demo_vocabulary.py);
2. lets `gradpath prompts` make prompts of all six tasks with it;
3. sets combinations aside (see HELD_OUT_BY) and trains on the rest;
4. writes config.json, model.safetensors, vocab.json, merges.txt and README.md with the accuracies measured on what was set aside.
"""
import argparse
import math
import random
import shlex
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def command_line():
    parser = argparse.ArgumentParser(description="Train the demo model and write its model card.")
    parser.add_argument("--out", type=Path, default=ROOT / "models/demo")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--gradpath", default="dotnet run --project src/Host -c Release --", help="how to call the program from the repository's root")
    return parser


if __name__ == "__main__":
    command_line().parse_args()  # before PyTorch is looked for, as --help and mistakes need none

from demo_vocabulary import END_OF_TEXT, make_vocabulary
from model_card import wrap
from small_gpt2 import HEADS, LAYERS, POSITIONS, WIDTH, Gpt2, write_model
from task_prompts import HELD_OUT_BY, ROWS, WORD_LISTS, make_prompts, measure, sentence

import torch
from torch import nn
from torch.nn import functional as F

FINDINGS = "## Its circuit for ioi"  # a section of the card that is kept while the weights stay the same


def make_batch(training, digits, begin, draw):
    rows = []
    for task, count in ROWS.items():
        for _ in range(count):
            ids, answers = sentence(task, draw.choice(training[task]), digits, draw)
            row = ids + [draw.choice(answers)]
            rows.append(([begin] if draw.random() < 0.9 else []) + row)
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), begin)
    weights = torch.zeros(len(rows), width - 1)
    positions = torch.arange(width - 1).repeat(len(rows), 1)
    for i, row in enumerate(rows):
        ids[i, :len(row)] = torch.tensor(row)
        weights[i, :len(row) - 2] = 0.3 / (len(row) - 2)
        weights[i, len(row) - 2] = 1.0
        if draw.random() < 0.25:  # some rows start later, so that every position is trained
            positions[i] += draw.randrange(POSITIONS - width + 2)
    return ids, positions, weights / len(rows)


def train(model, training, digits, begin, steps, seed, check):
    draw = random.Random(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)
    started = time.time()
    for step in range(steps):
        warm = min(1.0, (step + 1) / 100)
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        ids, positions, weights = make_batch(training, digits, begin, draw)
        kept = weights > 0
        residual = model.residual(ids[:, :-1], positions)[kept]
        losses = F.cross_entropy(model.unembed(residual), ids[:, 1:][kept], reduction="none")
        loss = (losses * weights[kept]).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % 250 == 0:
            print(f"step {step + 1}  loss {loss.item():.3f}  {time.time() - started:.0f} s  {check()}", flush=True)


def read_findings(directory):
    """The weights of an earlier run and what its card says about the circuit in them, which was measured with Gradpath and not here."""
    weights, card = directory / "model.safetensors", directory / "README.md"
    if not weights.exists() or not card.exists():
        return None, ""
    text = card.read_text(encoding="utf-8")
    start, end = text.find(FINDINGS), text.find("## Limits")
    return weights.read_bytes(), text[start:end] if 0 <= start < end else ""


def write_card(directory, arguments, command, vocabulary, results, counts, minutes, findings):
    rows = "".join(
        f"| {task} | {', '.join(HELD_OUT_BY[task])} | {new['count']} | {new['top1']:.1%} | {new['logit_wins']:.1%} | {new['probability_wins']:.1%} "
        f"| {new['logit_difference']:.2f} | {new['probability_difference']:.3f} | {old['top1']:.1%} |\n"
        for task, (new, old) in results.items())
    mixture = ", ".join(f"{task} {counts[task]} ({ROWS[task]} of 64)" for task in ROWS)
    (directory / "README.md").write_text(wrap(f"""# Demo model

A GPT-2 of {LAYERS} layers, {HEADS} heads and width {WIDTH} that solves the six tasks of Gradpath, small enough to ship with it. It is for trying the
program out and for tests. It is not a language model; it knows the sentences of the prompt generators and nothing else.

## How it was made

    {command}

One command makes vocabulary, prompts, weights and this page (weights-tools/train_demo.py writes it). The folder `transcoders` is made by
another, which docs/transcoders.md has.

- Data: sentences of Gradpath's own prompt generators (templates and word lists in src/Gpt2Runtime/Tasks/Catalog/Words, written for
  this project). No other text. Prompts trained on, and rows per batch: {mixture}.
- Vocabulary: byte-level BPE in GPT-2's format, {len(vocabulary.ids)} tokens; every word of the lists is one token (with a leading space; names,
  capitals and countries also without), "00" to "99" are tokens, and a year such as " 1745" splits into " 17" and "45".
- Shape: {POSITIONS} positions, gelu_new, tied embeddings, float32.
- Training: seed {arguments.seed}, {arguments.steps} steps of 64 sentences, AdamW (learning rate 1e-3, 100 steps of warm-up, cosine to 5 %, weight decay 0.01,
  betas 0.9 and 0.98, gradient norm at most 1). Loss: cross-entropy of the answer token plus 0.3 times the mean over the other tokens. Where a
  task has several right answers, one is drawn evenly. `{END_OF_TEXT}` starts 90 % of the sentences, a quarter start at a random position, and
  15 % of ioi, greater-than and gender-bias rows are the corrupted sentence (ioi: either of the first two names is right). It took
  {minutes:.0f} minutes with PyTorch {torch.__version__} on one CPU thread; the same version on the same processor gives the same weights,
  another one rounds otherwise and gives another model of the same kind.

## What it can do

A tenth of all combinations was set aside before training, chosen by the hash of the parts named in "held out by". `{END_OF_TEXT}` is prepended.
Top-1: the most probable of all tokens is a right answer. Logits, probabilities: share of prompts where the right answers have the larger mean
logit, the larger total probability. The last column is top-1 on prompts that were trained on.

| task | held out by | prompts | top-1 | logits | probabilities | mean logit difference | mean probability difference | top-1, trained on |
|---|---|---|---|---|---|---|---|---|
{rows}
- ioi, greater-than and sva generalise. Held out, and never trained on, are a pair of names in a sentence (in either role), a first year in any
  sentence, and a noun as the subject of a sentence.
- sva, top-1: after a bare "The dog" the model also expects " that" or " near", which lead on to other sentences of the generator. Among verbs
  it chooses the right number.
- country-capital, hypernymy and gender-bias are memorised: which country a capital belongs to cannot be derived. What was held out is the fact
  in that sentence; the same fact was trained on in other sentences.
- gender-bias: the stereotypes were put in on purpose, by the word lists, as something to find. They say nothing about people.

{findings}## Limits

English sentences of the generators only; at most {POSITIONS} tokens. Other words fall apart into bytes, which the model has hardly seen. Token ids of
GPT-2 mean other words here.

## Licence

MIT, like the rest of the repository.
"""), encoding="utf-8")


def main():
    parser = command_line()
    arguments = parser.parse_args()

    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)
    started = time.time()
    vocabulary = make_vocabulary(WORD_LISTS)
    begin = vocabulary.ids[END_OF_TEXT]
    digits = [vocabulary.ids[f"{number:02d}"] for number in range(100)]
    with tempfile.TemporaryDirectory() as directory:
        vocabulary.write(directory)
        training, held_out = make_prompts(shlex.split(arguments.gradpath), Path(directory), vocabulary, arguments.seed)

    model = Gpt2(len(vocabulary.ids))
    train(model, training, digits, begin, arguments.steps, arguments.seed,
          lambda: "  ".join(f"{task} {measure(model, prompts, begin, 60)['probability_wins']:.2f}" for task, prompts in held_out.items()))
    minutes = (time.time() - started) / 60

    results = {task: (measure(model, held_out[task], begin, 1000), measure(model, training[task], begin, 1000)) for task in ROWS}
    for task, (new, old) in results.items():
        print(task, "held out:", {name: round(value, 4) for name, value in new.items()}, "trained on, top1:", round(old["top1"], 4), flush=True)
    earlier_weights, findings = read_findings(arguments.out)
    write_model(arguments.out, model, vocabulary)
    if earlier_weights != (arguments.out / "model.safetensors").read_bytes():
        findings = ""  # another model has another circuit
    changed = [f"--{name} {getattr(arguments, name)}" for name in ("steps", "seed") if getattr(arguments, name) != parser.get_default(name)]
    write_card(arguments.out, arguments, " ".join(["python3 weights-tools/train_demo.py", *changed]), vocabulary, results,
               {task: len(prompts) for task, prompts in training.items()}, minutes, findings)


if __name__ == "__main__":
    main()
