"""Takes the pictures in `docs/images` anew: `python -m bench.screenshots` (needs Chromium).

The demo's catalogue in a temporary home, under `moodsearch up`, in a real browser.
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import expect, sync_playwright

from bench.workplace import CONFIGURATION

IMAGES: Final = Path(__file__).parent.parent / "docs" / "images"
QUERY: Final = "night"
"""A word of titles and a mood: both kinds of results are seen."""

USER: Final = "me"
START_SECONDS: Final = 120
PATIENCE_MILLISECONDS: Final = 60_000
LISTENED_SECONDS: Final = 3

_GRAPH: Final = "/asset-groups"
_LAST_ASSET: Final = "search_index"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where the pictures go")
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as home:
        environment = _environment(home)
        _moodsearch(environment, "demo")
        environment["MOODSEARCH_HOME"] = str(Path(home, "demo"))  # Its library, from here on.
        _moodsearch(environment, "flags", "grant", USER, "vibe-search")
        with _everything(environment) as (page_url, dagster_url):
            address = _moodsearch(environment, "token", USER, "--page", page_url).strip()
            _photograph(folder, address, dagster_url)


def _photograph(folder: Path, address: str, dagster_url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )

        def open_page(url: str, width: int, height: int, **how: Any) -> Any:
            page = browser.new_page(viewport={"width": width, "height": height}, **how)
            page.goto(url)
            return page

        page = open_page(address, 1180, 820)
        _pick_the_nearest(page)
        _find_similar(page)
        page.screenshot(path=folder / "search-page.png")

        page = open_page(address, 1180, 620, color_scheme="dark")
        expect(page.locator("#ideas")).to_be_visible()
        page.screenshot(path=folder / "search-page-dark.png")

        page = open_page(address, 360, 700, device_scale_factor=2, has_touch=True, is_mobile=True)
        _pick_the_nearest(page)
        page.screenshot(path=folder / "search-page-narrow.png")

        page = open_page(f"{dagster_url}{_GRAPH}", 1860, 500)
        page.get_by_text("Hide navigation").click()
        expect(page.get_by_text("Passed").first).to_be_visible()
        expect(page.get_by_text(_LAST_ASSET).last).to_be_visible()
        page.wait_for_timeout(2_000)  # The graph finds its place.
        page.screenshot(path=folder / "dagster-assets.png")
        browser.close()


def _pick_the_nearest(page: Any) -> None:
    """Play the first track that sounds like the query, for a few seconds."""
    expect(page.locator("#ideas")).to_be_visible()  # It knows who searches.
    page.locator("#query").fill(QUERY)
    page.locator("#query").press("Enter")
    nearest = page.locator(".group.mood .row").first
    expect(nearest).to_be_visible()
    nearest.click()
    expect(page.locator("#elapsed")).to_have_text(f"0:{LISTENED_SECONDS:02}")


def _find_similar(page: Any) -> None:
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#similar button").first).to_be_visible()
    page.locator("#query").focus()


def _environment(home: str) -> dict[str, str]:
    """Ours without anything that would configure it."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(CONFIGURATION)}
    return {**kept, "MOODSEARCH_HOME": home}


def _moodsearch(environment: dict[str, str], *arguments: str) -> str:
    """What the command printed. Raises `CalledProcessError` when it fails."""
    command = [sys.executable, "-m", "serving.cli", *arguments]
    done = subprocess.run(command, env=environment, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout


@contextmanager
def _everything(environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The addresses of the search page and of Dagster's UI under `moodsearch up`."""
    port, dagster_port = _free_port(), _free_port()
    command = [sys.executable, "-m", "serving.cli", "up", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--dagster-port", str(dagster_port)], env=environment, stdout=subprocess.DEVNULL
    )
    urls = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{dagster_port}"
    try:
        for url in (f"{urls[0]}/readyz", f"{urls[1]}/server_info"):
            _wait_for(url)
        yield urls
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _wait_for(url: str) -> None:
    """Raises `TimeoutError`."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (OSError, urllib.error.URLError):
            time.sleep(0.5)
    raise TimeoutError(f"{url} does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
