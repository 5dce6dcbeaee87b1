"""A CLAP export whose text projection is all zeros but for its bias, so that every text has one
vector: what a published checkpoint was found to be. Written in ONNX's own wire format (protobuf,
field numbers from onnx.proto3), to be run by ONNX Runtime like any other."""

import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, processors

FLOAT, INT64 = 1, 7
"""TensorProto.DataType."""


def write_collapsed_clap(folder: Path) -> Path:
    """The files of an fp32 export; its audio tower is only good for a fingerprint."""
    folder.mkdir(parents=True)
    (folder / "text_model.onnx").write_bytes(_text_tower())
    (folder / "audio_model.onnx").write_bytes(b"not to be opened")
    tokenizer = Tokenizer(models.WordLevel({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    heard = {
        "truncation": "rand_trunc",
        "padding": "repeatpad",
        "sampling_rate": 48_000,
        "max_length_s": 10,
        "fft_window_size": 1024,
        "hop_length": 480,
        "feature_size": 64,
        "frequency_min": 50,
        "frequency_max": 14_000,
        "top_db": None,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(heard))
    return folder


def _text_tower() -> bytes:
    """input_ids -> their mean -> a projection of zeros and a bias -> text_embeds."""
    bias = np.random.default_rng(0).standard_normal(512, np.float32)
    nodes = [
        _node("Cast", ["input_ids"], "ids", _attribute("to", FLOAT)),
        _node("ReduceMean", ["ids", "axes"], "mean"),
        _node("MatMul", ["mean", "weight"], "projected"),
        _node("Add", ["projected", "bias"], "text_embeds"),
    ]
    initializers = [
        _tensor("axes", np.array([1], np.int64), INT64),
        _tensor("weight", np.zeros((1, 512), np.float32), FLOAT),
        _tensor("bias", bias, FLOAT),
    ]
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, b"text_tower"),
            *(_field(5, tensor) for tensor in initializers),
            _field(11, _value("input_ids", INT64, ["batch", "length"])),
            _field(12, _value("text_embeds", FLOAT, ["batch", 512])),
        ]
    )
    opset = _field(1, b"") + _number(2, 18)
    return _number(1, 8) + _field(7, graph) + _field(8, opset)


def _node(kind: str, inputs: list[str], output: str, attribute: bytes = b"") -> bytes:
    names = b"".join(_field(1, name.encode()) for name in inputs)
    return names + _field(2, output.encode()) + _field(4, kind.encode()) + attribute


def _attribute(name: str, value: int) -> bytes:
    integer = 2  # AttributeProto.AttributeType
    return _field(5, _field(1, name.encode()) + _number(3, value) + _number(20, integer))


def _tensor(name: str, array: np.ndarray, kind: int) -> bytes:
    sizes = b"".join(_number(1, size) for size in array.shape)
    return sizes + _number(2, kind) + _field(8, name.encode()) + _field(9, array.tobytes())


def _value(name: str, kind: int, shape: list[str | int]) -> bytes:
    sizes = [
        _field(2, size.encode()) if isinstance(size, str) else _number(1, size) for size in shape
    ]
    tensor = _number(1, kind) + _field(2, b"".join(_field(1, size) for size in sizes))
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, content: bytes) -> bytes:
    """Length-delimited."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
