"""Stage 3: write both towers as the product loads them.

The audio tower becomes ONNX with batch normalisation folded in and large weights kept as int8 (made
float32 again when the session loads); the text tower becomes one compressed .npz and a list of word
pieces.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from resources.embedding.offline.mel import FRAMES, MEL_BANDS
from training.network import PARTS, SHARES, AudioTower, TextTower
from training.teacher import load as load_table

_HALVED, _QUANTISED = 256, 16_384  # numbers from which on a tensor is float16, int8


def export(checkpoint: Path, table: Path, weights: Path) -> None:
    """Write audio.onnx, text.npz and vocabulary.txt into `weights`."""
    weights.mkdir(parents=True, exist_ok=True)
    state = torch.load(checkpoint)
    _export_audio(state["audio"], weights / "audio.onnx")
    _export_text(state["text"], table, weights)
    sizes = {path.name: path.stat().st_size for path in sorted(weights.iterdir())}
    print(sizes, f"{sum(sizes.values()) / 1e6:.2f} MB")


def _export_audio(state: dict[str, torch.Tensor], path: Path) -> None:
    tower = AudioTower()
    tower.load_state_dict(state)
    tower.eval()
    example = torch.rand(2, MEL_BANDS, FRAMES)
    torch.onnx.export(
        tower, (example,), str(path), input_names=["spectrogram"], output_names=["embedding"],
        dynamic_axes={"spectrogram": {0: "batch"}, "embedding": {0: "batch"}}, opset_version=17,
        do_constant_folding=True, dynamo=False,
    )  # fmt: skip
    model = onnx.load(str(path))
    _store_small(model)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def _store_small(model: onnx.ModelProto) -> None:
    """Keep large weights as int8 with a step for each output, smaller ones as float16.

    Both become float32 when a session loads the graph, which folds the constants.
    """
    nodes = []
    for weight in list(model.graph.initializer):
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < _HALVED:
            continue
        name = weight.name
        if values.size < _QUANTISED:
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            nodes.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
            continue
        steps = np.abs(values).max(tuple(range(1, values.ndim)), keepdims=True) / 127
        steps = np.maximum(steps, np.finfo(np.float32).tiny)
        whole = np.round(values / steps).astype(np.int8)
        weight.CopyFrom(numpy_helper.from_array(whole, f"{name}_int8"))
        model.graph.initializer.append(numpy_helper.from_array(steps, f"{name}_steps"))
        nodes += [
            helper.make_node("Cast", [f"{name}_int8"], [f"{name}_whole"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{name}_whole", f"{name}_steps"], [name]),
        ]
    for node in reversed(nodes):
        model.graph.node.insert(0, node)


def _export_text(state: dict[str, torch.Tensor], table_path: Path, weights: Path) -> None:
    table = load_table(table_path)
    tower = TextTower(table.table.shape[1])
    tower.load_state_dict(state)
    arrays = {
        "skip": tower.skip.weight.T,
        "hidden": tower.hidden.weight.T,
        "hidden_bias": tower.hidden.bias,
        "out": tower.out.weight.T,
        "bias": tower.skip.bias,
    }
    # numpy.savez writes fixed zip timestamps, so equal weights give equal bytes.
    np.savez_compressed(
        weights / "text.npz", table=table.table, scales=table.steps * table.importances,
        parts=np.array(PARTS), shares=np.array(SHARES),
        **{name: a.detach().numpy().astype(np.float16) for name, a in arrays.items()},
    )  # fmt: skip
    (weights / "vocabulary.txt").write_text("\n".join(table.pieces), encoding="ascii")
