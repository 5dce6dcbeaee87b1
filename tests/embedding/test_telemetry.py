"""Nothing leaves this machine: ONNX Runtime's own reports are off."""

import os
import subprocess
import sys
from pathlib import Path

EMBED = """
from resources.embedding.local import load_local_model
from resources.settings import load_settings
load_local_model(load_settings()).embed_text(["rain"])
"""


def test_onnx_runtime_keeps_nothing_to_report(tmp_path: Path) -> None:
    """It would make an id of this machine and a queue of reports in the user's folder of caches."""
    user = tmp_path / "user"
    user.mkdir()
    environment = {name: text for name, text in os.environ.items() if "TELEMETRY" not in name}
    environment |= {"HOME": str(user), "XDG_CACHE_HOME": str(user)}
    subprocess.run([sys.executable, "-c", EMBED], env=environment, check=True, timeout=120)
    assert list(user.iterdir()) == []
