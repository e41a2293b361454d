#!/usr/bin/env python3
"""Makes what tests/tests/qwen.rs expects of quantized weights: a small Qwen2.5 with random weights in `blocks`, the
bytes that llama.cpp's own `gguf` makes of them, and what `transformers` says of the numbers that those stand for.

    python3 -m pip install torch transformers==4.57.6 gguf==0.19.0 safetensors tokenizers
    python3 tests/parity/qwen/blocks.py tests/parity/qwen
    python3 tests/parity/qwen/blocks.py --open FOLDER

The second form opens a folder that `signpost-host quantize` wrote as `transformers` opens llama.cpp's files, tokenizer
and all, and prints what it says, beside the same of the folder's own config.json and tokenizer.json.
"""

import hashlib
import json
import sys
from pathlib import Path

import gguf
import torch
from small import logits, network
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, Qwen2ForCausalLM

KINDS = {"8": gguf.GGMLQuantizationType.Q8_0, "4": gguf.GGMLQuantizationType.Q4_0}
TEXT = "Write the sentence in glosses.\nmorgen kommt regen im norden ."


def drawn() -> Qwen2ForCausalLM:
    made = network(320, 32, 64, 2, 4, max_position_embeddings=128, tie_word_embeddings=True).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + (0.5 if parameter.dim() == 1 else 0.0))
    return made


def make(folder: Path) -> None:
    torch.manual_seed(11)
    model = drawn()
    model.save_pretrained(folder / "blocks")
    (folder / "blocks" / "generation_config.json").unlink()
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    ids = tokenizer.encode(TEXT)[:6]
    said = {"ids": ids, "whole": logits(model, ids)}
    whole = {name: value.clone() for name, value in model.state_dict().items()}
    for bits, kind in KINDS.items():
        hashes = {}
        for name, value in model.state_dict().items():
            if value.dim() != 2:
                continue
            blocks = gguf.quants.quantize(whole[name].numpy(), kind)
            if name != "lm_head.weight":
                hashes[name] = hashlib.sha256(blocks.tobytes()).hexdigest()
            value.copy_(torch.from_numpy(gguf.quants.dequantize(blocks, kind)))
        said[bits] = {"sha256": hashes, "logits": logits(model, ids)}
    (folder / "blocks.json").write_text(json.dumps(said) + "\n")


def opened(folder: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file="model.gguf", dtype=torch.float32).eval()
    theirs = AutoTokenizer.from_pretrained(folder, gguf_file="model.gguf")
    ours = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    ids = ours.encode(TEXT)
    print("tokens", theirs.encode(TEXT) == ours.encode(TEXT), ids)
    for row in logits(model, ids)[-3:]:
        print(row[:8])


if __name__ == "__main__":
    if sys.argv[1] == "--open":
        opened(Path(sys.argv[2]))
    else:
        make(Path(sys.argv[1]))
