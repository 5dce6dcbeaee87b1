"""CI's look for known holes: pip-audit itself, and an advisory service on loopback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.loopback import Answer, Host

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
PINNED = "h11==0.14.0 \\\n    --hash=sha256:" + "0" * 64 + "\n"
HOLE = {
    "id": "GHSA-test-test-test",
    "affected": [
        {
            "package": {"name": "h11", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.16.0"}]}],
            "versions": ["0.14.0"],
        }
    ],
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
}


def audit(tmp_path: Path, url: str) -> "subprocess.CompletedProcess[str]":
    pins = tmp_path / "pins.txt"
    pins.write_text(PINNED)
    options = ["-s", "osv", "--osv-url", url, "--cache-dir", str(tmp_path), "--timeout", "5"]
    return subprocess.run(
        [sys.executable, ROOT / ".ci" / "audit", pins, *options],
        capture_output=True,
        check=False,
        text=True,
        timeout=90,
    )


def test_a_pin_with_a_known_hole_fails(tmp_path: Path) -> None:
    with Host() as host:
        host.on("POST /v1/query", Answer(200, {"vulns": [HOLE]}))
        done = audit(tmp_path, f"{host.url}/v1/query")
    assert done.stdout == "h11 0.14.0: GHSA-test-test-test, fixed in 0.16.0\n", done.stderr
    assert done.returncode == 1


def test_pins_without_one_pass(tmp_path: Path) -> None:
    with Host() as host:
        host.on("POST /v1/query", Answer(200, {}))
        done = audit(tmp_path, f"{host.url}/v1/query")
    assert done.stdout == "1 packages without known holes, 0 unknown\n", done.stderr
    assert done.returncode == 0


def test_where_nothing_answers_it_is_skipped_and_says_so(tmp_path: Path) -> None:
    done = audit(tmp_path, "http://127.0.0.1:9/v1/query")
    assert done.stdout.startswith("Skipped: no advisory service answers")
    assert done.returncode == 0


def test_it_runs_in_ci_over_every_pinned_file() -> None:
    assert "make audit" in (ROOT / ".ci" / "run").read_text()
    pinned = {path.name for path in (ROOT / "requirements").iterdir()}
    text = (ROOT / ".ci" / "audit").read_text()
    assert pinned == {"build.txt", "runtime.txt", "dev.txt"}
    assert all(f'"{name.removesuffix(".txt")}"' in text for name in pinned)
