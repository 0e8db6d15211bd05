#!/usr/bin/env python3
"""Writes prompt pairs for the model that sorts six letters (tests/Data/models/nano-sort), as JSON lines of token ids.

    python3 weights-tools/sort_prompts.py KNOWN COUNT SEED > pairs.jsonl

A prompt has six letters (0, 1, 2) and the first KNOWN of them sorted; the answer is the next one. The corrupted prompt has one other letter,
by which the answer changes and what is sorted so far does not.
"""
import json
import random
import sys


def main():
    try:
        known, count, seed = (int(word) for word in sys.argv[1:])
        if not (0 <= known <= 4 and 1 <= count <= 500):
            raise ValueError
    except ValueError:
        sys.exit("sort_prompts.py: give KNOWN (0 to 4), COUNT (1 to 500) and SEED.")
    draw = random.Random(seed)
    seen = set()
    while len(seen) < count:
        clean = [draw.randrange(3) for _ in range(6)]
        corrupted = list(clean)
        corrupted[draw.randrange(6)] = draw.randrange(3)
        right, wrong = sorted(clean), sorted(corrupted)
        if right[:known] != wrong[:known] or right[known] == wrong[known]:
            continue
        pair = (tuple(clean), tuple(corrupted))
        if pair in seen:
            continue
        seen.add(pair)
        print(json.dumps({
            "clean_ids": clean + right[:known],
            "corrupted_ids": corrupted + right[:known],
            "answer_ids": [right[known]],
            "wrong_answer_ids": [wrong[known]],
        }))


if __name__ == "__main__":
    main()
