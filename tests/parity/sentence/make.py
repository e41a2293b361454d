#!/usr/bin/env python3
"""Makes the fixture of tests/tests/sentence.rs: a small BERT with random weights in the form in which sentence-transformers
publishes its embedders, and the vectors that `transformers` gives, pooled as its documentation says.

    python3 -m pip install torch transformers==4.57.6 tokenizers onnx
    python3 tests/parity/sentence/make.py tests/parity/sentence

The weights are random and belong to nobody. Python is needed to make the fixture, never to use it.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel

TEXTS = ["regen", "Regen morgen", "überschwemmung", "die sonne scheint über dem norden und im süden regnet es", "天气"]
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.train_from_iterator(TEXTS[:4], trainers.WordPieceTrainer(vocab_size=80, special_tokens=MARKS))
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def main() -> None:
    folder = Path(sys.argv[1])
    torch.manual_seed(5)
    made = tokenizer()
    made.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=made.get_vocab_size(),
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=48,
        max_position_embeddings=32,
        pad_token_id=0,
        attn_implementation="eager",
    )
    model = BertModel(config, add_pooling_layer=False).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    example = tuple(torch.ones(1, 7, dtype=torch.int64) for _ in names)
    torch.onnx.export(
        model,
        example,
        str(folder / "model.onnx"),
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, "last_hidden_state"]},
        opset_version=14,
        dynamo=False,
    )
    said = []
    for text in TEXTS:
        cut = made.encode(text).ids[:16]
        if cut[-1] != 3:
            cut[-1] = 3  # What is cut off keeps its end.
        with torch.no_grad():
            tokens = model(torch.tensor([cut])).last_hidden_state[0]
        vectors = {"mean": tokens.mean(0), "first": tokens[0]}
        said.append({"text": text} | {k: torch.nn.functional.normalize(v, dim=0).tolist() for k, v in vectors.items()})
    (folder / "said.json").write_text(json.dumps(said, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
