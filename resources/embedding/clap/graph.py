"""One tower's ONNX graph: opened, checked for what CLAP's towers have, and run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from resources.embedding.protocol import EMBEDDING_DIMENSION
from resources.errors import ConfigurationError, first_line

_ADVICE: Final = "use the audio and text towers of an export of laion/clap-htsat-unfused"

_SMALLEST_NORM: Final = 1e-6
"""The heads answer vectors of length 1 and more; what is this short has no direction to trust."""


class Graph:
    """The tower in `path`, which answers `output`: (n, 512), on `threads` for each call.

    `inputs`: type, as ONNX Runtime calls it, and shape of every input that can be fed, None for a
    size that varies; those in `required` must be declared. Whatever else is wrong raises
    `ConfigurationError`, one line that names the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int,
        inputs: Mapping[str, tuple[str, tuple[int | None, ...]]],
        required: str,
        output: str,
    ) -> None:
        self._path = path
        self._session = _open(path, threads)
        declared = {each.name: each for each in self._session.get_inputs()}
        if required not in declared or not declared.keys() <= inputs.keys():
            raise self._refusal(f"takes {_listed(declared)}, not {required}; {_ADVICE}")
        for name, node in declared.items():
            element, shape = inputs[name]
            if node.type != element or not _fits(node.shape, shape):
                raise self._refusal(
                    f"takes {name} as {node.type} {node.shape}, not {element} {_shown(shape)};"
                    f" {_ADVICE}"
                )
        self.inputs = frozenset(declared)
        self._output = self._choose_output(output)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The vector (512,) float32 of length 1 for feeds whose batch is 1.

        Of `feeds` the graph gets what it declares. Raises `ConfigurationError` when it cannot be
        run or answers a vector without a direction.
        """
        declared = {name: feeds[name] for name in self.inputs}
        try:
            (answer,) = self._session.run([self._output], declared)
        except Exception as error:  # ONNX Runtime's errors have no base of their own
            raise self._refusal(f"cannot be run: {_reason(error)}; {_ADVICE}") from error
        if answer.shape != (1, EMBEDDING_DIMENSION):
            raise self._refusal(
                f"answers {answer.shape}, not (1, {EMBEDDING_DIMENSION}); {_ADVICE}"
            )
        vector = answer[0].astype(np.float64)
        norm = float(np.linalg.norm(vector))
        if not _SMALLEST_NORM < norm < np.inf:  # false for NaN, too
            raise self._refusal(f"answers a vector of length {norm:g}; {_ADVICE}")
        unit: NDArray[np.float32] = (vector / norm).astype(np.float32)
        return unit

    def _choose_output(self, name: str) -> str:
        """The one of that name, or else the only one of 512 numbers."""
        shapes: dict[str, list[int | str | None]] = {
            each.name: each.shape for each in self._session.get_outputs()
        }
        wide = [
            each
            for each, shape in shapes.items()
            if len(shape) == 2 and shape[1] == EMBEDDING_DIMENSION
        ]
        if name in shapes and (name in wide or not isinstance(shapes[name][-1], int)):
            return name
        if name in shapes or len(wide) != 1:
            raise self._refusal(
                f"answers {_listed(shapes)}, not {name} of {EMBEDDING_DIMENSION} numbers; {_ADVICE}"
            )
        return wide[0]

    def _refusal(self, reason: str) -> ConfigurationError:
        return ConfigurationError(f"CLAP_MODEL: {self._path} {reason}")


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait in a loop take the cores that other work needs (docs/clap.md).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # what goes wrong is raised, and said once
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no base of their own
        raise ConfigurationError(
            f"CLAP_MODEL: {path} is not an ONNX model that can be run ({_reason(error)});"
            " fetch it again"
        ) from error


def _fits(declared: Sequence[int | str | None], wanted: Sequence[int | None]) -> bool:
    """Whether an array whose batch is 1 can be fed; names stand for sizes that vary."""
    return len(declared) == len(wanted) and all(
        not isinstance(size, int) or size == (1 if place == 0 else wanted[place])
        for place, size in enumerate(declared)
    )


def _shown(shape: Sequence[int | None]) -> str:
    return "[" + ", ".join("any" if size is None else str(size) for size in shape) + "]"


def _listed(names: Mapping[str, object]) -> str:
    return " and ".join(sorted(names)) or "nothing"


def _reason(error: Exception) -> str:
    """What ONNX Runtime has to say, without its prefix and the path that it repeats."""
    line = first_line(error) or type(error).__name__
    return line.rpartition(" : ")[2].rpartition("failed:")[2].strip().rstrip(".")
