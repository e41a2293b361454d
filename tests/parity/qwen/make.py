#!/usr/bin/env python3
"""Makes the fixture of tests/tests/qwen.rs: a small Qwen2.5 with random weights, its tokenizer, an adapter, and what
`transformers` and `peft` say of them.

    python3 -m pip install torch transformers==4.57.6 peft==0.21.2 safetensors tokenizers
    python3 tests/parity/qwen/make.py tests/parity/qwen

The weights are random and belong to nobody. Python is needed to make the fixture, never to use it.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from small import logits, network, tokenizer
from transformers import Qwen2ForCausalLM

TEXTS = [
    "Write the sentence in glosses.\nmorgen kommt regen im norden .",
    "übersetze: Straße 12, 3,5 Grad\n\n  und Wind",
    "今天天气好。",
    "<|im_start|>user\nHello 🙂<|im_end|>\n<|im_start|>assistant\n",
    "",
]


def saved(folder: Path, name: str, vocab: int, tied: bool) -> Qwen2ForCausalLM:
    made = network(vocab, 32, 48, 3, 4, max_position_embeddings=128, tie_word_embeddings=tied).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.15 + (1.0 if parameter.dim() == 1 else 0.0) * 0.1)
    (folder / name).mkdir(parents=True, exist_ok=True)
    # Several files, as large models come; the untied one as 16 bits, as most come.
    dtype = torch.float32 if tied else torch.bfloat16
    made.to(dtype).save_pretrained(folder / name, max_shard_size="30KB" if tied else "1GB")
    (folder / name / "generation_config.json").unlink()
    return made.to(torch.float32)


def learnt(adapted, ids: list[int], answer: int) -> dict:
    """The loss of the tokens from `answer` on, and its gradient by each part of the adapter."""
    said = adapted(torch.tensor([ids])).logits[0, answer - 1 : -1]
    loss = torch.nn.functional.cross_entropy(said, torch.tensor(ids[answer:]))
    loss.backward()
    parts = {
        key.replace(".default", ""): [round(v, 7) for v in parameter.grad.flatten().tolist()]
        for key, parameter in adapted.named_parameters()
        if "lora_" in key
    }
    return {"answer": answer, "loss": loss.item(), "gradients": parts}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(7)
    made = tokenizer(TEXTS * 4, 320)
    made.save(str(folder / "tokenizer.json"))
    vocab = made.get_vocab_size()
    said = {
        "texts": [{"text": t, "ids": made.encode(t).ids, "back": made.decode(made.encode(t).ids, False)} for t in TEXTS]
    }
    ids = made.encode(TEXTS[0]).ids[:12]
    for name, tied in [("tied", True), ("untied", False)]:
        model = saved(folder, name, vocab, tied)
        greedy = model.generate(
            torch.tensor([ids]), max_new_tokens=8, do_sample=False, num_beams=1, eos_token_id=2, pad_token_id=0
        )
        said[name] = {"ids": ids, "logits": logits(model, ids), "greedy": greedy[0, len(ids) :].tolist()}
        if not tied:
            continue
        adapter = LoraConfig(r=3, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"], lora_dropout=0.0)
        adapted = get_peft_model(model, adapter).eval()
        with torch.no_grad():
            for key, parameter in adapted.named_parameters():
                if "lora_" in key:
                    parameter.copy_(torch.randn_like(parameter) * 0.2)
        adapted.save_pretrained(folder / "adapter")
        (folder / "adapter" / "README.md").unlink(missing_ok=True)
        said["adapted"] = {"ids": ids, "logits": logits(adapted, ids)}
        said["learnt"] = learnt(adapted, ids, answer=8)
    (folder / "said.json").write_text(json.dumps(said, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
