#!/usr/bin/env python3
"""Copies a GPT-2 checkpoint with its final LayerNorm multiplied by a factor.

    python3 weights-tools/scale_final_norm.py models/demo 15 out/demo-x15

Weight and bias of `ln_f` are multiplied and nothing else is, so every logit is FACTOR times what it was (but for a bias of the head,
which a GPT-2 has not): answers stay the same, probabilities become sharper, and their differences saturate. The copy has the
checkpoint's config and vocabulary, and a README.md that says what it is. Needs Python 3 alone.

Exit codes: 0 done, 1 the checkpoint cannot be used or written, 2 the command line cannot.
"""
import argparse
import math
import os
import shutil
import struct
import sys
import tempfile
from pathlib import Path

import tensor_files

WEIGHTS = "model.safetensors"
COPIED = ("config.json", "vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
          "added_tokens.json", "generation_config.json")
PREFIXES = ("transformer.", "")
FORMS = {"F32": "f", "F16": "e"}


class Refusal(Exception):
    """What cannot be done, in one line."""


def main(words=None):
    parser = argparse.ArgumentParser(prog="scale_final_norm.py", description="Copy a GPT-2 checkpoint with its final LayerNorm multiplied.")
    parser.add_argument("model", type=Path, metavar="MODEL", help="the checkpoint's folder: config.json and model.safetensors")
    parser.add_argument("factor", type=factor, metavar="FACTOR", help="what weight and bias of the final LayerNorm are multiplied by, above 0")
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of the copy, which must not be there yet")
    arguments = parser.parse_args(words)
    try:
        scale(arguments.model, arguments.factor, arguments.out)
    except Refusal as refusal:
        print(f"scale_final_norm.py: {refusal}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"scale_final_norm.py: {error.filename or arguments.out}: {error.strerror or error}", file=sys.stderr)
        return 1
    print(f"{arguments.out}: {arguments.model} with its final LayerNorm times {arguments.factor:g}")
    return 0


def factor(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text}: give a number above 0, such as 15")
    return value


def scale(model, by, out):
    """Writes the copy beside its place and then renames it, so that OUT is there as a whole or not at all."""
    if not model.is_dir():
        raise Refusal(f"{model}: there is no such folder; give a checkpoint's, with config.json and {WEIGHTS}")
    for name in ("config.json", WEIGHTS):
        if not (model / name).is_file():
            more = "; weights in several files are not read" if (model / (WEIGHTS + ".index.json")).exists() else ""
            raise Refusal(f"{model}: holds no {name}{more}")
    if os.path.lexists(out):
        raise Refusal(f"{out}: is there already; name a folder that is not")
    if model.resolve() in out.resolve().parents:
        raise Refusal(f"{out}: lies within {model}; name a folder outside it")
    scaled = scaled_tensors(model / WEIGHTS, by)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=out.name + ".", suffix=".part", dir=out.parent))
    try:
        folder.chmod(0o777 & ~mask())
        for name in COPIED:
            if (model / name).is_file():
                shutil.copyfile(model / name, folder / name)
        shutil.copyfile(model / WEIGHTS, folder / WEIGHTS)
        with open(folder / WEIGHTS, "r+b") as file:
            for place, content in scaled.values():
                file.seek(place)
                file.write(content)
        (folder / "README.md").write_text(card(model, by, out, list(scaled)), encoding="utf-8")
        folder.rename(out)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def mask():
    value = os.umask(0)
    os.umask(value)
    return value


def scaled_tensors(path, by):
    """Weight and bias of the final LayerNorm multiplied: by name, where in the file and with which bytes."""
    try:
        header, start = tensor_files.read_header(path)
    except ValueError as error:
        raise Refusal(f"{path}: {error}") from error
    prefix = next((p for p in PREFIXES if f"{p}ln_f.weight" in header), None)
    if prefix is None:
        raise Refusal(f"{path}: holds no tensor transformer.ln_f.weight or ln_f.weight")
    scaled = {}
    for name in (f"{prefix}ln_f.weight", f"{prefix}ln_f.bias"):
        if name not in header:
            raise Refusal(f"{path}: holds no tensor {name}")
        form, begin = place_of(path, name, header[name], start)
        with open(path, "rb") as file:
            file.seek(begin)
            values = struct.unpack(form, file.read(struct.calcsize(form)))
        try:
            content = struct.pack(form, *(value * by for value in values))
        except (OverflowError, struct.error) as error:
            raise Refusal(f"{path}: times {by:g}, {name} is too large for {header[name]['dtype']}") from error
        scaled[name] = (begin, content)
    return scaled


def place_of(path, name, entry, start):
    """How a tensor's numbers are stored, as struct writes it, and where in the file they begin."""
    try:
        kind, count, (begin, end) = entry["dtype"], math.prod(entry["shape"]), entry["data_offsets"]
        form = f"<{count}{FORMS.get(kind, '')}"
        fits = 0 <= begin <= end <= path.stat().st_size - start and end - begin == struct.calcsize(form) if kind in FORMS else True
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise Refusal(f"{path}: what the header says of {name} cannot be read") from error
    if kind not in FORMS:
        raise Refusal(f"{path}: {name} is {kind}; {' and '.join(FORMS)} can be multiplied")
    if not fits:
        raise Refusal(f"{path}: {name} does not lie in the file as the header says")
    return form, start + begin


def card(model, by, out, names):
    return f"""# {out.name}: {model.name} with its final LayerNorm times {by:g}

A copy of the checkpoint {model.name} in which `{names[0]}` and `{names[1]}` are multiplied by {by:g}. Nothing else is changed. Every logit is
{by:g} times what it was, so the answers are the same and the probabilities sharper: differences of probabilities saturate, differences of
logits are only multiplied.

Made by `weights-tools/scale_final_norm.py`. The licence is that of {model.name}.
"""


if __name__ == "__main__":
    sys.exit(main())
