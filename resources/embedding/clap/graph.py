"""One tower's ONNX graph: opened, checked for what CLAP's towers have, and run."""

from collections.abc import Iterable, Mapping, Set
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

    `inputs`: every input that can be fed; `required` must be declared. Whatever is wrong raises
    `ConfigurationError`, one line that names the file: what a graph says of itself when it is
    opened, shapes and types when it is run.
    """

    def __init__(
        self,
        path: Path,
        *,
        threads: int,
        inputs: Set[str],
        required: str,
        output: str,
    ) -> None:
        self._path = path
        self._session = _open(path, threads)
        self.inputs = frozenset(each.name for each in self._session.get_inputs())
        if required not in self.inputs or not self.inputs <= inputs:
            raise self._refusal(f"takes {_listed(self.inputs)}, not {required}; {_ADVICE}")
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
        shapes = {each.name: each.shape for each in self._session.get_outputs()}
        if name in shapes:
            return name
        wide = [each for each, shape in shapes.items() if shape[1:] == [EMBEDDING_DIMENSION]]
        if len(wide) != 1:
            raise self._refusal(
                f"answers {_listed(shapes)}, not {name} of {EMBEDDING_DIMENSION} numbers; {_ADVICE}"
            )
        return str(wide[0])

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


def _listed(names: Iterable[str]) -> str:
    return " and ".join(sorted(names)) or "nothing"


def _reason(error: Exception) -> str:
    """What ONNX Runtime has to say, without its prefix and the path that it repeats."""
    line = first_line(error) or type(error).__name__
    return line.rpartition(" : ")[2].rpartition("failed:")[2].strip().rstrip(".")
