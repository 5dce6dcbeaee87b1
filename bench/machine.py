"""On what it was measured."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import psutil
import psycopg

LIBRARIES: Final = ("numpy", "onnxruntime", "av", "polars", "dagster", "fastapi", "psycopg")


def describe(server: str) -> dict[str, str]:
    """What the figures depend on. `server`: URL of the PostgreSQL server. No names of hosts."""
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "Libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "PostgreSQL": _postgres(server),
        "Load before": f"{os.getloadavg()[0]:.1f}",
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _postgres(server: str) -> str:
    with psycopg.connect(server) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), default_version"
            " FROM pg_available_extensions WHERE name = 'vector'"
        ).fetchone()
    assert row is not None
    return f"{row[0]}, pgvector {row[1]}"
