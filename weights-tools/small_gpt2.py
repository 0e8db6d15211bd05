"""The small GPT-2 that the training scripts share: its layers in PyTorch, and its checkpoint's files."""
import json
import math
import os
import struct
import sys
from pathlib import Path

# One thread: matrices this small do not gain from more, and the sums are then rounded alike on every run.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

try:
    import torch
    from torch import nn
except ImportError:
    sys.exit(f"{Path(sys.argv[0]).name} needs PyTorch for Python 3 (Debian: python3-torch; otherwise: pip install torch); it was not found.")

from demo_vocabulary import END_OF_TEXT
from tensor_files import read_header

LAYERS, HEADS, WIDTH, POSITIONS, EPSILON = 4, 8, 128, 64, 1e-5


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1 = nn.LayerNorm(WIDTH, EPSILON)
        self.attn = nn.ModuleDict({"c_attn": Conv1D(WIDTH, 3 * WIDTH), "c_proj": Conv1D(WIDTH, WIDTH)})
        self.ln_2 = nn.LayerNorm(WIDTH, EPSILON)
        self.mlp = nn.ModuleDict({"c_fc": Conv1D(WIDTH, 4 * WIDTH), "c_proj": Conv1D(4 * WIDTH, WIDTH)})

    def forward(self, x, mask):
        batch, positions, _ = x.shape
        q, k, v = (part.view(batch, positions, HEADS, -1).transpose(1, 2) for part in self.attn["c_attn"](self.ln_1(x)).chunk(3, -1))
        pattern = (q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS) + mask[:positions, :positions]).softmax(-1)
        x = x + self.attn["c_proj"]((pattern @ v).transpose(1, 2).reshape(batch, positions, WIDTH))
        hidden = self.mlp["c_fc"](self.ln_2(x))
        hidden = 0.5 * hidden * (1 + torch.tanh(math.sqrt(2 / math.pi) * (hidden + 0.044715 * hidden ** 3)))  # gelu_new
        return x + self.mlp["c_proj"](hidden)


class Conv1D(nn.Module):
    """A linear layer whose weight is stored [in, out], as GPT-2 checkpoints do."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) * 0.02)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return torch.addmm(self.bias, x.reshape(-1, x.shape[-1]), self.weight).view(*x.shape[:-1], -1)


class Gpt2(nn.Module):
    """GPT-2 with tied embeddings; parameter names are those of Hugging Face checkpoints."""

    def __init__(self, vocabulary_size):
        super().__init__()
        self.wte = nn.Embedding(vocabulary_size, WIDTH)
        self.wpe = nn.Embedding(POSITIONS, WIDTH)
        self.h = nn.ModuleList(Block() for _ in range(LAYERS))
        self.ln_f = nn.LayerNorm(WIDTH, EPSILON)
        self.register_buffer("mask", torch.full((POSITIONS, POSITIONS), -1e9).triu(1), persistent=False)
        nn.init.normal_(self.wte.weight, std=0.02)
        nn.init.normal_(self.wpe.weight, std=0.01)
        for block in self.h:
            for projection in (block.attn["c_proj"], block.mlp["c_proj"]):
                nn.init.normal_(projection.weight, std=0.02 / math.sqrt(2 * LAYERS))

    def residual(self, ids, positions):
        return self.residual_of(self.wte(ids), positions)

    def residual_of(self, embedding, positions):
        """What the head reads, from token embeddings [batch, positions, WIDTH]."""
        x = embedding + self.wpe(positions)
        for block in self.h:
            x = block(x, self.mask)
        return self.ln_f(x)

    def unembed(self, x):
        return x @ self.wte.weight.T


def read_safetensors(path):
    """A checkpoint's float32 tensors by name."""
    header, start = read_header(path)
    content = Path(path).read_bytes()
    return {
        name: torch.frombuffer(bytearray(content[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]]), dtype=torch.float32)
        .reshape(entry["shape"])
        for name, entry in header.items() if name != "__metadata__"
    }


def write_safetensors(path, tensors):
    """The safetensors format: length of the header (u64), the header (JSON), the tensors' bytes in header order."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 4
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.detach().float().contiguous().numpy().astype("<f4").tobytes())


def write_model(directory, model, vocabulary):
    directory.mkdir(parents=True, exist_ok=True)
    vocabulary.write(directory)
    begin = vocabulary.ids[END_OF_TEXT]
    config = {
        "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "activation_function": "gelu_new", "n_layer": LAYERS,
        "n_head": HEADS, "n_embd": WIDTH, "n_inner": None, "n_positions": POSITIONS, "n_ctx": POSITIONS,
        "vocab_size": len(vocabulary.ids), "layer_norm_epsilon": EPSILON, "tie_word_embeddings": True, "scale_attn_weights": True,
        "bos_token_id": begin, "eos_token_id": begin, "torch_dtype": "float32",
    }
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    write_safetensors(directory / "model.safetensors", {f"transformer.{name}": value for name, value in model.state_dict().items()})
