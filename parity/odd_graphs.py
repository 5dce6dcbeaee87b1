"""Graphs that other exporters might have made, and broken ones, in a few hundred bytes each.

Those that answer do so without weights: the first 512 decibels of a spectrogram, or four sums over
what a text came as.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_OPSET: Final = 17
_HEARD: Final = {"input_features": (TensorProto.FLOAT, ["batch", 1, 1001, 64])}
_LONGER: Final = {"is_longer": (TensorProto.BOOL, ["batch", 1])}
_IDS: Final = (TensorProto.INT64, ["batch", "length"])
_TEXT_INPUTS: Final = ("input_ids", "attention_mask", "position_ids", "token_type_ids")

Inputs = Mapping[str, tuple[int, Sequence[int | str]]]


def write(folder: Path) -> None:
    """All of them."""
    folder.mkdir(parents=True, exist_ok=True)
    _audio(folder / "with_is_longer.onnx", {**_HEARD, **_LONGER})
    _audio(folder / "other_output_name.onnx", _HEARD, outputs={"output_0": 512})
    _audio(folder / "hidden_states_too.onnx", _HEARD, outputs={"hidden": 768, "output_0": 512})
    _audio(folder / "two_of_512.onnx", _HEARD, outputs={"output_0": 512, "output_1": 512})
    _audio(folder / "of_768.onnx", _HEARD, outputs={"audio_embeds": 768})
    _audio(folder / "batch_of_one.onnx", {"input_features": (TensorProto.FLOAT, [1, 1, 1001, 64])})
    _audio(
        folder / "fused.onnx",
        {"input_features": (TensorProto.FLOAT, ["batch", 4, 1001, 64]), **_LONGER},
    )
    _audio(
        folder / "half_precision.onnx",
        {"input_features": (TensorProto.FLOAT16, ["batch", 1, 1001, 64])},
    )
    _audio(folder / "unknown_input.onnx", {**_HEARD, "genre": _IDS})
    _audio(folder / "zeros.onnx", _HEARD, factor=0.0)
    _audio(folder / "not_a_number.onnx", _HEARD, factor=float("nan"))
    _text(folder / "all_text_inputs.onnx")


def _audio(
    path: Path, inputs: Inputs, *, outputs: Mapping[str, int] | None = None, factor: float = 1.0
) -> None:
    """Each output is the flattened spectrogram's beginning times `factor`."""
    outputs = outputs or {"audio_embeds": 512}
    heard = inputs["input_features"][0]
    constants = {
        "factor": np.array(factor, helper.tensor_dtype_to_np_dtype(heard)),
        "start": np.array([0], np.int64),
        "axis": np.array([1], np.int64),
        **{f"end {name}": np.array([size], np.int64) for name, size in outputs.items()},
    }
    nodes = [
        helper.make_node("Flatten", ["input_features"], ["flat"]),
        helper.make_node("Mul", ["flat", "factor"], ["scaled"]),
        *(
            helper.make_node("Slice", ["scaled", "start", f"end {name}", "axis"], [name])
            for name in outputs
        ),
    ]
    typed = {name: (heard, ["batch", size]) for name, size in outputs.items()}
    _save(path, nodes, inputs, typed, constants)


def _text(path: Path) -> None:
    """The sums of ids, mask, positions and types, then 508 ones."""
    nodes = []
    for name in _TEXT_INPUTS:
        nodes += [
            helper.make_node("Cast", [name], [f"{name} float"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", [f"{name} float", "axis"], [f"{name} sum"], keepdims=1),
        ]
    sums = [f"{name} sum" for name in _TEXT_INPUTS]
    nodes.append(helper.make_node("Concat", [*sums, "rest"], ["text_embeds"], axis=1))
    constants = {"axis": np.array([1], np.int64), "rest": np.ones((1, 508), np.float32)}
    output = {"text_embeds": (TensorProto.FLOAT, ["batch", 512])}
    _save(path, nodes, dict.fromkeys(_TEXT_INPUTS, _IDS), output, constants)


def _save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Inputs,
    outputs: Inputs,
    constants: Mapping[str, np.ndarray],
) -> None:
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(name, *typed) for name, typed in inputs.items()],
        [helper.make_tensor_value_info(name, *typed) for name, typed in outputs.items()],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", _OPSET)])
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
