"""CLAP from transformers as ONNX files, laid out as the public export is."""

import json
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from torch import nn
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

from parity import network, reference, sentences, signals, tokenizer

AUDIO: Final = "onnx/audio_model.onnx"
TEXT: Final = "onnx/text_model.onnx"
AUDIO_INT8: Final = "onnx/audio_model_quantized.onnx"
TEXT_INT8: Final = "onnx/text_model_quantized.onnx"
TOKENIZER: Final = "tokenizer.json"
_COMPLETE: Final = "complete.json"
_VERSION: Final = 2
"""One more whenever another export would come out of the same call."""

ROBERTA_VOCABULARY: Final = 50_265
_OPSET: Final = 17


class Audio(nn.Module):
    """Audio tower and head, without the norm, as the public graph ends."""

    def __init__(self, model: ClapModel) -> None:
        super().__init__()
        self.tower, self.head = model.audio_model, model.audio_projection

    def forward(self, input_features: torch.Tensor) -> torch.Tensor:
        return self.head(self.tower(input_features=input_features).pooler_output)


class Text(nn.Module):
    """Text tower and head, without the norm, as the public graph ends."""

    def __init__(self, model: ClapModel) -> None:
        super().__init__()
        self.tower, self.head = model.text_model, model.text_projection

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        pooled = self.tower(input_ids=input_ids, attention_mask=attention_mask).pooler_output
        return self.head(pooled)


def audio_graph(model: ClapModel, path: Path) -> None:
    """`input_features` (batch, 1, 1001, 64) float32 -> `audio_embeds` (batch, 512)."""
    batch = {0: "batch_size"}
    _export(
        Audio(model),
        {"input_features": torch.zeros(1, 1, 1001, 64)},
        "audio_embeds",
        {"input_features": batch, "audio_embeds": batch},
        path,
    )


def text_graph(model: ClapModel, path: Path, *, masked: bool = False) -> None:
    """`input_ids` (batch, length) int64, and `attention_mask` if `masked` -> `text_embeds`."""
    sizes = {0: "batch_size", 1: "sequence_length"}
    inputs = {"input_ids": torch.tensor([[0, 5, 6, 7, 2], [0, 5, 2, 1, 1]])}
    if masked:
        inputs["attention_mask"] = (inputs["input_ids"] != 1).long()
    axes = {**dict.fromkeys(inputs, sizes), "text_embeds": {0: "batch_size"}}
    _export(Text(model), inputs, "text_embeds", axes, path)


def to_int8(graph: Path, path: Path, *, signed: bool) -> None:
    """Weights in bytes; activations at run time, each tensor by its own largest value.

    The public export's converter has signed weights in graphs without a convolution, which is the
    text tower, and unsigned ones in others; signed ones are faster.
    """
    log = logging.getLogger()
    level = log.level
    log.setLevel(logging.ERROR)  # it recommends steps that change nothing here
    try:
        quantize_dynamic(graph, path, weight_type=QuantType.QInt8 if signed else QuantType.QUInt8)
    finally:
        log.setLevel(level)


def pack(path: Path) -> None:
    """Make a graph's file small without rounding anything: large weights that are whole multiples
    of a power of two become bytes, which ONNX Runtime takes apart when it opens the graph, and the
    names of what is between inputs and outputs become short."""
    model = onnx.load(path)
    before: list[onnx.NodeProto] = []
    for weights in model.graph.initializer:
        if weights.data_type != onnx.TensorProto.FLOAT:
            continue
        values = torch.from_numpy(onnx.numpy_helper.to_array(weights).copy())
        step = 2.0 ** torch.ceil(torch.log2(values.abs().max() / 127))
        if values.numel() < 256 or not torch.equal((values / step).round() * step, values):
            continue
        name = weights.name
        packed = (values / step).to(torch.int8).numpy()
        weights.CopyFrom(onnx.numpy_helper.from_array(packed, f"{name}_packed"))
        model.graph.initializer.append(onnx.numpy_helper.from_array(step.numpy(), f"{name}_step"))
        before += [
            onnx.helper.make_node(
                "Cast", [f"{name}_packed"], [f"{name}_whole"], to=onnx.TensorProto.FLOAT
            ),
            onnx.helper.make_node("Mul", [f"{name}_whole", f"{name}_step"], [name]),
        ]
    for node in reversed(before):
        model.graph.node.insert(0, node)
    _shorten_names(model.graph)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _shorten_names(graph: onnx.GraphProto) -> None:
    kept = {"": "", **{each.name: each.name for each in (*graph.input, *graph.output)}}
    short: dict[str, str] = {}

    def rename(name: str) -> str:
        return kept.get(name) or (name and short.setdefault(name, f"{len(short):x}"))

    del graph.value_info[:]
    for weights in graph.initializer:
        weights.name = rename(weights.name)
    for node in graph.node:
        # Branches have names of their own scope and of ours.
        assert not any(each.HasField("g") for each in node.attribute)
        node.name = node.doc_string = ""
        node.input[:] = [rename(each) for each in node.input]
        node.output[:] = [rename(each) for each in node.output]


def write_small_files(
    folder: Path, words: Tokenizer, extractor: ClapFeatureExtractor, config: ClapConfig
) -> None:
    """What stands beside the graphs."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    words.save(str(folder / TOKENIZER))
    extractor.save_pretrained(folder)
    config.save_pretrained(folder)


def full_size(folder: Path) -> Path:
    """CLAP at its full size, 153 M random weights, both precisions, in `folder`; 770 MB.

    Made once, in a minute or so; a folder that is complete stays as it is.
    """
    complete = folder / _COMPLETE
    if complete.exists() and json.loads(complete.read_text()) == {"version": _VERSION}:
        return folder
    complete.unlink(missing_ok=True)
    model, extractor = full_size_model(folder)
    write_small_files(folder, Tokenizer.from_file(str(folder / TOKENIZER)), extractor, model.config)
    audio_graph(model, folder / AUDIO)
    text_graph(model, folder / TEXT)
    to_int8(folder / AUDIO, folder / AUDIO_INT8, signed=False)
    to_int8(folder / TEXT, folder / TEXT_INT8, signed=True)
    complete.write_text(json.dumps({"version": _VERSION}))
    return folder


def full_size_model(folder: Path) -> tuple[ClapModel, ClapFeatureExtractor]:
    """What `full_size` exports, the same each time; its tokenizer is trained once in `folder`."""
    words = folder / TOKENIZER
    if not words.exists():
        folder.mkdir(parents=True, exist_ok=True)
        texts = [*sentences.DESCRIPTIONS, *sentences.made_up_words(150_000)]
        tokenizer.train(texts, ROBERTA_VOCABULARY).save(str(words))
    extractor = network.feature_extractor()
    spectrograms = [reference.mel(extractor, each) for each in signals.signals().values()]
    ids = token_ids(words, signals.QUERIES)
    return network.random_clap(ClapConfig(), spectrograms, ids), extractor


def token_ids(words: Path, texts: Sequence[str]) -> list[list[int]]:
    """transformers' ids."""
    reader = tokenizer.as_transformers_reads_it(words)
    return [reader(text, truncation=True)["input_ids"] for text in texts]


def _export(
    wrapper: nn.Module,
    inputs: dict[str, torch.Tensor],
    output: str,
    axes: dict[str, Any],
    path: Path,
) -> None:
    """A new module is in training mode, and the exporter puts everything inside it back into the
    mode that it found: without `eval`, the model would be in training mode afterwards."""
    wrapper.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        torch.no_grad(),
        warnings.catch_warnings(action="ignore"),  # of sizes that never change for CLAP
        tempfile.TemporaryDirectory(dir=path.parent) as folder,
    ):
        unfinished = Path(folder) / path.name
        torch.onnx.export(
            wrapper,
            tuple(inputs.values()),
            str(unfinished),
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes=axes,
            opset_version=_OPSET,
            dynamo=False,
        )
        unfinished.replace(path)
    assert not any(module.training for module in wrapper.modules())
