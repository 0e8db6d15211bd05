#!/usr/bin/env python3
"""Trains models/saturated from models/demo and writes its model card.

    python3 weights-tools/train_saturated.py

1. makes the demo model's vocabulary and prompts, with the same combinations set aside;
2. trains the demo model on, for answers alone and without weight decay, until clean prompts are saturated: the gradient of the
   probability difference is far smaller there than halfway to the corrupted prompt;
3. writes config.json, model.safetensors, vocab.json, merges.txt and README.md, with accuracies and saturation measured on what was set
   aside.
"""
import argparse
import random
import shlex
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def command_line():
    parser = argparse.ArgumentParser(description="Train the saturated model from the demo model and write its model card.")
    parser.add_argument("--start", type=Path, default=ROOT / "models/demo", help="the checkpoint to begin with")
    parser.add_argument("--out", type=Path, default=ROOT / "models/saturated")
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    parser.add_argument("--temperature", type=float, default=4,
                        help="what logits are multiplied by at the start, and divided by in the loss")
    parser.add_argument("--sharpness", type=float, default=2.3, help="how much sharper the logits are in the end than in the loss")
    parser.add_argument("--gradpath", default="dotnet run --project src/Host -c Release --", help="how to call the program from the repository's root")
    return parser


if __name__ == "__main__":
    command_line().parse_args()  # before PyTorch is looked for, as --help and mistakes need none

from demo_vocabulary import END_OF_TEXT, make_vocabulary
from model_card import wrap
from small_gpt2 import HEADS, LAYERS, POSITIONS, WIDTH, Gpt2, read_safetensors, write_model
from task_prompts import HELD_OUT_BY, WORD_LISTS, make_prompts, measure, sentence

import torch
from torch import nn

SEED = 1  # the demo model's, so that what was set aside from its training stays so
SATURATED = 30  # how many times smaller the gradient is at the clean prompt of a pair that is called saturated
ROWS = {"ioi": 14, "greater-than": 14, "sva": 6, "gender-bias": 2, "country-capital": 4, "hypernymy": 4}  # per training batch
WARM, COOL = 100, 0.5  # steps of warm-up; the last share of the steps, in which the learning rate falls to 0


def make_batch(training, digits, begin, vocabulary_size, draw):
    """Sentences without their answers, where each ends, and the even distribution over its right answers."""
    rows, targets = [], torch.zeros(sum(ROWS.values()), vocabulary_size)
    for task, count in ROWS.items():
        for _ in range(count):
            ids, answers = sentence(task, draw.choice(training[task]), digits, draw)
            for answer in answers:
                targets[len(rows), answer] += 1 / len(answers)
            rows.append(([begin] if draw.random() < 0.9 else []) + ids)
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), begin)
    positions = torch.arange(width).repeat(len(rows), 1)
    for i, row in enumerate(rows):
        ids[i, :len(row)] = torch.tensor(row)
        if draw.random() < 0.25:  # some rows start later, so that every position is trained
            positions[i] += draw.randrange(POSITIONS - width + 1)
    return ids, positions, torch.tensor([len(row) - 1 for row in rows]), targets


def train(model, training, digits, begin, arguments, draw, check):
    steps, rate, temperature = arguments.steps, arguments.rate, arguments.temperature
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, betas=(0.9, 0.98))
    started = time.time()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / WARM, (steps - step) / (COOL * steps))
        ids, positions, last, targets = make_batch(training, digits, begin, model.wte.num_embeddings, draw)
        logits = model.unembed(model.residual(ids, positions)[torch.arange(len(ids)), last]) / temperature
        loss = -(targets * logits.log_softmax(-1)).sum(-1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if (step + 1) % 200 == 0:
            floor = -(targets * targets.clamp(min=1e-30).log()).sum(-1).mean()
            print(f"step {step + 1}  loss {loss.item() - floor.item():.5f}  {time.time() - started:.0f} s  {check()}", flush=True)


@torch.no_grad()
def multiply_logits(model, by):
    for parameter in model.ln_f.parameters():
        parameter *= by


def saturation(model, prompts, begin, limit, logits=False):
    """Per pair, how many times larger the metric's gradient at the token embedding is halfway between the clean and the corrupted prompt
    than at the clean one; the metric is the probability difference, or the logit difference."""
    ratios = []
    for prompt in prompts[:limit]:
        clean, corrupted = (model.wte(torch.tensor([[begin] + prompt[name]])).detach() for name in ("clean", "corrupted"))
        norms = []
        for point in (clean, (clean + corrupted) / 2):
            point.requires_grad_(True)
            end = model.unembed(model.residual_of(point, torch.arange(point.shape[1])[None])[0, -1])
            if logits:
                metric = end[prompt["answers"]].mean() - end[prompt["wrong"]].mean()
            else:
                probabilities = end.softmax(-1)
                metric = probabilities[prompt["answers"]].sum() - probabilities[prompt["wrong"]].sum()
            norms.append(torch.autograd.grad(metric, point)[0].double().norm().item())
        ratios.append(norms[1] / max(norms[0], 1e-30))
    return torch.tensor(ratios)


def saturated_share(ratios):
    return (ratios >= SATURATED).float().mean().item()


def measure_all(model, training, held_out, begin):
    """By task: what the model can do on held-out and on trained prompts, and how saturated held-out pairs are, by either metric."""
    results = {}
    for task in ROWS:
        new, old = measure(model, held_out[task], begin, 1000), measure(model, training[task], begin, 1000)
        probabilities, logits = (saturation(model, held_out[task], begin, 200, logits) for logits in (False, True))
        results[task] = (new, old, probabilities, logits)
        print(task, "held out:", {name: round(value, 4) for name, value in new.items()}, "trained on, top1:", round(old["top1"], 4),
              "saturation:", [(ratios.median().item(), saturated_share(ratios)) for ratios in (probabilities, logits)], flush=True)
    return results


def write_card(directory, arguments, command, vocabulary, results, counts, minutes):
    accuracies = "".join(
        f"| {task} | {', '.join(HELD_OUT_BY[task])} | {new['count']} | {new['top1']:.1%} | {new['logit_wins']:.1%} | {new['probability_wins']:.1%} "
        f"| {new['logit_difference']:.2f} | {new['probability_difference']:.3f} | {old['top1']:.1%} |\n"
        for task, (new, old, _, _) in results.items())
    saturations = "".join(
        f"| {task} | {len(probabilities)} | {probabilities.median().item():.3g} | {saturated_share(probabilities):.1%} "
        f"| {logits.median().item():.2f} | {saturated_share(logits):.1%} |\n"
        for task, (_, _, probabilities, logits) in results.items())
    mixture = ", ".join(f"{task} {counts[task]} ({ROWS[task]} of {sum(ROWS.values())})" for task in ROWS)
    (directory / "README.md").write_text(wrap(f"""# Saturated model

The demo model, trained on until its clean prompts are saturated: the probability of the right answers is so near 1 that the gradient of the
probability difference all but vanishes there. It is for comparing methods where gradients vanish, and for tests. Shape ({LAYERS} layers,
{HEADS} heads, width {WIDTH}), vocabulary and tasks are the demo model's. It is not a language model: of sentences it knows only how they end.

## How it was made

    {command}

One command makes everything here (weights-tools/train_saturated.py writes it).

- Start: the weights of models/demo. Vocabulary and prompts are its own, and the same combinations were set aside.
- Data: sentences of Gradpath's own prompt generators. No other text. Prompts trained on, and rows per batch: {mixture}.
- Training: seed {SEED}, {arguments.steps} steps of {sum(ROWS.values())} sentences, Adam without weight decay (learning rate {arguments.rate:g}, {WARM} steps of warm-up, falling to 0 over the last
  {COOL:.0%}, betas 0.9 and 0.98, gradient norm at most 1). Loss: cross-entropy with the even distribution over a task's right answers, at the
  answer alone. The final LayerNorm is multiplied by {arguments.temperature:g} at the start, and logits are divided by {arguments.temperature:g} in the loss. In the end it is
  multiplied so that logits are {arguments.sharpness:g} times as sharp as the loss has made them: sharper ones are as flat halfway as at
  clean prompts. `{END_OF_TEXT}` starts 90 % of the sentences, a quarter start at a random position, and 15 % of ioi, greater-than and
  gender-bias rows are the corrupted sentence, as in the demo model's training. It took {minutes:.0f} minutes with PyTorch
  {torch.__version__} on one CPU thread of a busy machine.

## What it can do

As on the demo model's card: on prompts that were set aside, with `{END_OF_TEXT}` in front. Top-1: the most probable of all tokens is a right
answer. Logits, probabilities: share of prompts where the right answers have the larger mean logit, the larger total probability. The last
column is top-1 on prompts that were trained on.

| task | held out by | prompts | top-1 | logits | probabilities | mean logit difference | mean probability difference | top-1, trained on |
|---|---|---|---|---|---|---|---|---|
{accuracies}
## How saturated it is

Per prompt pair: the norm of the metric's gradient at the token embedding halfway between the clean and the corrupted prompt, over that at
the clean prompt. A pair is called saturated where that is {SATURATED} or more. First held-out pairs of each task.

| task | pairs | probability difference: median | saturated pairs | logit difference: median | saturated pairs |
|---|---|---|---|---|---|
{saturations}
- The probability difference is saturated at clean prompts, as it is behind the softmax. About four in ten pairs of sva and of greater-than
  are not called so. Those of sva are nearly as flat halfway, as their answer changes elsewhere on the line; gradients below 1e-6 or so are
  rounding. More sharpness would give greater-than more of them and sva fewer.
- The logit difference is not saturated: it is linear in the logits, and sharper logits multiply its gradient everywhere.

Gradpath measures the same of generated pairs, most of which were trained on: `perf/run paths --models saturated --metric prob-diff`.

## Limits

As the demo model's: English sentences of the generators only, at most {POSITIONS} tokens; token ids of GPT-2 mean other words here. What it says
anywhere but at the end of a sentence means nothing.

## Licence

MIT, like the rest of the repository.
"""), encoding="utf-8")


def main():
    parser = command_line()
    arguments = parser.parse_args()

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    started = time.time()
    vocabulary = make_vocabulary(WORD_LISTS)
    begin = vocabulary.ids[END_OF_TEXT]
    digits = [vocabulary.ids[f"{number:02d}"] for number in range(100)]
    with tempfile.TemporaryDirectory() as directory:
        vocabulary.write(directory)
        training, held_out = make_prompts(shlex.split(arguments.gradpath), Path(directory), vocabulary, SEED)
    model = Gpt2(len(vocabulary.ids))
    model.load_state_dict({name.removeprefix("transformer."): value
                           for name, value in read_safetensors(arguments.start / "model.safetensors").items()})
    multiply_logits(model, arguments.temperature)  # the loss begins where the demo model's ended

    def check():
        parts = []
        for task, prompts in held_out.items():
            ratios = saturation(model, prompts, begin, 20)
            parts.append(f"{task} {measure(model, prompts, begin, 40)['top1']:.2f} x{ratios.median().item():.0f} {saturated_share(ratios):.2f}")
        return "  ".join(parts)

    train(model, training, digits, begin, arguments, random.Random(SEED), check)
    multiply_logits(model, arguments.sharpness / arguments.temperature)
    minutes = (time.time() - started) / 60
    results = measure_all(model, training, held_out, begin)
    write_model(arguments.out, model, vocabulary)
    changed = [f"--{name} {getattr(arguments, name)}" for name in ("steps", "rate", "temperature", "sharpness")
               if getattr(arguments, name) != parser.get_default(name)]
    write_card(arguments.out, arguments, " ".join(["python3 weights-tools/train_saturated.py", *changed]), vocabulary, results,
               {task: len(prompts) for task, prompts in training.items()}, minutes)


if __name__ == "__main__":
    main()
