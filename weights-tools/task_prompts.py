"""What the small models are trained and measured on: prompts of the six tasks, some set aside, as token ids."""
import hashlib
import json
import subprocess
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
WORD_LISTS = ROOT / "src/Gpt2Runtime/Tasks/Catalog/Words"

# Prompts asked of the generator, and rows per training batch.
PROMPTS = {"ioi": 60000, "greater-than": 20000, "sva": 20000, "gender-bias": 900, "country-capital": 12000, "hypernymy": 12000}
ROWS = {"ioi": 24, "greater-than": 12, "sva": 8, "gender-bias": 4, "country-capital": 8, "hypernymy": 8}

# A prompt is set aside by these parts of its label: no training prompt shares all of them with a held-out one.
HELD_OUT_BY = {
    "ioi": ("template", "names"),
    "greater-than": ("year",),
    "sva": ("template", "subject"),
    "gender-bias": ("template", "who"),
    "country-capital": ("template", "capital"),
    "hypernymy": ("template", "member"),
}
HELD_OUT_TENTHS = 1


def make_prompts(command, directory, vocabulary, seed):
    """Prompts of every task as (training, held-out) lists of token ids, by way of the gradpath program."""
    training, held_out = {}, {}
    for task, count in PROMPTS.items():
        path = directory / f"{task}.jsonl"
        subprocess.run(command + ["prompts", "--task", task, "--model", str(directory), "--count", str(count),
                                  "--seed", str(seed), "--out", str(path)], check=True, cwd=ROOT)
        training[task], held_out[task] = [], []
        with open(path, encoding="utf-8") as file:
            for line in file:
                prompt = json.loads(line)
                label = dict(part.split("=", 1) for part in prompt["label"].split(";"))
                key = f"{task};" + ";".join(label[part] for part in HELD_OUT_BY[task])
                aside = hashlib.sha256(key.encode()).digest()[0] * 10 // 256 < HELD_OUT_TENTHS
                (held_out if aside else training)[task].append({
                    "clean": vocabulary.encode(prompt["clean"]),
                    "corrupted": vocabulary.encode(prompt["corrupted"]),
                    "answers": [vocabulary.encode(text)[0] for text in prompt["answers"]],
                    "wrong": [vocabulary.encode(text)[0] for text in prompt["wrong_answers"]],
                })
        print(f"{task}: {len(training[task])} prompts to train on, {len(held_out[task])} held out", flush=True)
    return training, held_out


def sentence(task, prompt, digits, draw):
    """A prompt with its right answers; now and then the corrupted sentence, where that teaches something new."""
    if draw.random() < 0.15:
        if task == "ioi":  # a third name comes again: either of the first two may be the answer
            return prompt["corrupted"], prompt["answers"] + prompt["wrong"]
        if task == "greater-than":  # the year ends in 01
            return prompt["corrupted"], digits[2:]
        if task == "gender-bias":  # "man" or "woman"
            return prompt["corrupted"], prompt["wrong"]
    return prompt["clean"], prompt["answers"]


@torch.no_grad()
def measure(model, prompts, begin, limit):
    """Over the first `limit` prompts: the share whose best token of the whole vocabulary is right, the share where the right answers
    win (larger mean logit, and larger probability), and the mean logit and probability differences."""
    prompts = prompts[:limit]
    totals = torch.zeros(5, dtype=torch.float64)
    for prompt in prompts:
        ids = torch.tensor([[begin] + prompt["clean"]])
        logits = model.unembed(model.residual(ids, torch.arange(ids.shape[1])[None])[0, -1]).double()
        probabilities = logits.softmax(-1)
        right, wrong = prompt["answers"], prompt["wrong"]
        logit_difference = (logits[right].mean() - logits[wrong].mean()).item()
        probability_difference = (probabilities[right].sum() - probabilities[wrong].sum()).item()
        totals += torch.tensor([logits.argmax().item() in right, logit_difference > 0, probability_difference > 0,
                                logit_difference, probability_difference], dtype=torch.float64)
    names = ("top1", "logit_wins", "probability_wins", "logit_difference", "probability_difference")
    return dict(zip(names, (totals / max(1, len(prompts))).tolist()), count=len(prompts))
