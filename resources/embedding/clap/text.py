"""CLAP's text tower: descriptions to vectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from resources.embedding.clap.graph import Graph
from resources.embedding.protocol import EMBEDDING_DIMENSION
from resources.errors import ConfigurationError

MAX_TOKENS: Final = 77
"""With `<s>` and `</s>`; longer texts lose their end. LAION trained with it; the table of positions
would do for 512."""

_PADDING_ID: Final = 1
"""RoBERTa counts positions from the one after its padding's id."""

_INPUTS: Final = frozenset({"input_ids", "attention_mask", "position_ids", "token_type_ids"})


class ClapTextTower:
    """The graph in `path` with its own tokenizer, on so many threads for each call; safe to call
    from several threads.

    Raises `ConfigurationError` for a graph that is not CLAP's text tower and for a file that is not
    RoBERTa's tokenizer.
    """

    def __init__(self, path: Path, tokenizer: Path, *, threads: int) -> None:
        self._tokenizer = load_tokenizer(tokenizer)
        self._graph = Graph(
            path, threads=threads, inputs=_INPUTS, required="input_ids", output="text_embeds"
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts -> (n, 512) float32 rows of length 1; an empty text has a vector, too.

        One text at a time: graphs without an attention mask would take padding for words, and an
        int8 graph scales its activations by the largest of the batch, so that a text's vector would
        depend on its neighbours.
        """
        rows = [self._embed(text) for text in texts]
        return np.array(rows, np.float32).reshape(-1, EMBEDDING_DIMENSION)

    def _embed(self, text: str) -> NDArray[np.float32]:
        ids = np.array([token_ids(self._tokenizer, text)], np.int64)
        return self._graph.run(
            {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "position_ids": np.cumsum(np.ones_like(ids), axis=1) + _PADDING_ID,
                "token_type_ids": np.zeros_like(ids),
            }
        )


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in a tokenizer.json, which cuts at `MAX_TOKENS` and never pads.

    Raises `ConfigurationError` for a file that is none, or whose tokenizer does not put a text
    between `<s>` and `</s>`: the tower would read it, and answer wrongly.
    """
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing more special
        raise ConfigurationError(
            f"CLAP_MODEL: {path} is not a tokenizer ({error}); fetch it again"
        ) from error
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    if tokenizer.encode("").tokens != ["<s>", "</s>"]:
        raise ConfigurationError(
            f"CLAP_MODEL: {path} does not put texts between <s> and </s>;"
            " use the one beside the text model"
        )
    return tokenizer


def token_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    """`<s>`, at most 75 tokens of `text`, `</s>`. Lone surrogates, which are not Unicode text, are
    read as U+FFFD."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    ids: list[int] = tokenizer.encode(whole).ids
    return ids
