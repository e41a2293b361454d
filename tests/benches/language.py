#!/usr/bin/env python3
"""Makes a small language model of the Qwen2.5 family from nothing, for `cargo xtask bench zrsl`: no published weights
were at hand. It learns a corpus's training sentences, its rows of glosses, and both under each other, as plain lines
and never as a dialogue: what an adapter then learns is the instruction.

    python3 -m pip install torch transformers==4.57.6 tokenizers
    python3 tests/benches/language.py train.tsv FOLDER [--steps 1500]

The corpora are for research: the folder may not ship. Python is needed to make it, never to use it.
"""

import argparse
import csv
import random
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "parity/qwen"))
from small import network, tokenizer  # noqa: E402, where it lies is said just above

LONGEST = 160


def pairs(path: Path) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",", quoting=csv.QUOTE_MINIMAL))
    text, gloss = ("text", "gloss") if "text" in rows[0] else ("Chinese Sentences", "Gloss")
    return [(row[text].strip(), row[gloss].replace("/", " ").strip()) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--vocabulary", type=int, default=4000)
    args = parser.parse_args()
    torch.manual_seed(1)
    chance = random.Random(1)
    corpus = pairs(args.corpus)
    cut = tokenizer([side for pair in corpus for side in pair], args.vocabulary)
    args.out.mkdir(parents=True, exist_ok=True)
    cut.save(str(args.out / "tokenizer.json"))
    end = cut.token_to_id("<|im_end|>")
    more = {"max_position_embeddings": 1024, "tie_word_embeddings": True, "attention_dropout": 0.1}
    net = network(cut.get_vocab_size(), 192, 512, 4, 6, **more).train()

    def document() -> list[int]:
        text, glosses = chance.choice(corpus)
        lines = chance.choice([text, glosses, f"{text}\n{glosses}", f"{text}\n{glosses}"])
        return cut.encode(lines, add_special_tokens=False).ids[: LONGEST - 1] + [end]

    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=args.steps, pct_start=0.1)
    for step in range(args.steps):
        rows = [document() for _ in range(args.batch)]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [end] * (longest - len(row)) for row in rows])
        there = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        loss = net(ids, attention_mask=there, labels=ids.masked_fill(there == 0, -100)).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 0 or step + 1 == args.steps:
            print(f"{step + 1} of {args.steps} steps: {loss.item():.3f}", flush=True)
    net.eval().save_pretrained(args.out)


if __name__ == "__main__":
    main()
