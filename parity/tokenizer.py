"""A byte-level BPE tokenizer in RoBERTa's form: the special tokens, their ids, and what stands
around a text."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import RobertaProcessing
from tokenizers.trainers import BpeTrainer
from transformers import RobertaTokenizer

_FIRST: Final = ("<s>", "<pad>", "</s>", "<unk>")
_LAST: Final = "<mask>"
MAX_TOKENS: Final = 77


def train(texts: Iterable[str], size: int) -> Tokenizer:
    """At most `size` tokens, every byte among them, so that there is no text without ids."""
    tokenizer = Tokenizer(BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=size - 1,
        special_tokens=list(_FIRST),
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(_LAST, lstrip=True, special=True)])
    tokenizer.post_processor = RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")),
        ("<s>", tokenizer.token_to_id("<s>")),
        trim_offsets=True,
        add_prefix_space=False,
    )
    return tokenizer


def as_transformers_reads_it(path: Path) -> RobertaTokenizer:
    """Built from the vocabulary and the merges alone: how a text is cut and enclosed is up to
    transformers."""
    model = json.loads(path.read_text(encoding="utf-8"))["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    vocabulary = {**model["vocab"], _LAST: len(model["vocab"])}
    return RobertaTokenizer(
        vocab=vocabulary, merges=merges, add_prefix_space=False, model_max_length=MAX_TOKENS
    )
