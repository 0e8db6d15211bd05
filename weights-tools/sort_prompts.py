#!/usr/bin/env python3
"""Writes prompt pairs for the model that sorts six letters (tests/Data/models/nano-sort), as JSON lines of token ids.

    python3 weights-tools/sort_prompts.py KNOWN COUNT SEED > pairs.jsonl

A prompt has six letters (0, 1, 2) and the first KNOWN of them sorted; the answer is the next one. The corrupted prompt differs in one of the
six letters. Its answer is another one, and the KNOWN sorted letters are the same.
"""
import argparse
import json
import os
import random
import sys


def main():
    parser = argparse.ArgumentParser(prog="sort_prompts.py", description="Write prompt pairs for the model that sorts, as JSON lines.")
    parser.add_argument("known", type=int, choices=range(5), metavar="KNOWN", help="letters that are sorted already, 0 to 4")
    parser.add_argument("count", type=int, choices=range(1, 501), metavar="COUNT", help="pairs to write, 1 to 500, all different")
    parser.add_argument("seed", type=int, metavar="SEED", help="seed of the draws")
    arguments = parser.parse_args()
    known, count, seed = arguments.known, arguments.count, arguments.seed
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
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
