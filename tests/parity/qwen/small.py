"""The form of Qwen2.5 and of its tokenizer, for small ones that are made here."""

from collections.abc import Iterable

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import Qwen2Config, Qwen2ForCausalLM

# How Qwen2.5's own tokenizer.json cuts text before it merges bytes.
PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Learns `size` tokens from texts."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=SPECIAL,
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    return made


def network(tokens: int, width: int, inner: int, layers: int, heads: int, **more) -> Qwen2ForCausalLM:
    """A network that knows so many tokens, two heads of which are asked; `more` is said to Qwen2Config."""
    config = Qwen2Config(
        vocab_size=tokens,
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=2,
        rope_theta=1_000_000.0,
        rms_norm_eps=1e-6,
        bos_token_id=SPECIAL.index("<|endoftext|>"),
        eos_token_id=SPECIAL.index("<|im_end|>"),
        **more,
    )
    return Qwen2ForCausalLM(config)


@torch.no_grad()
def logits(model, ids: list[int]) -> list[list[float]]:
    """What follows each token, as it is kept in fixtures."""
    return [[round(v, 6) for v in row] for row in model(torch.tensor([ids])).logits[0].tolist()]
