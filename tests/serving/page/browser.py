"""A browser, the address of the page, and what tests do and look at there."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import uvicorn
from fastapi import FastAPI

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
expect.set_options(timeout=20_000)  # On a machine that does much else at the same time.

FLAG = "vibe-search"
LISTENER = "did:plc:listener"

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine"),
]

Open = Callable[..., Any]
"""Opens the page; see the fixture `open_page`."""


@contextmanager
def running_browser() -> Iterator[Any]:
    """The system's Chromium; none is downloaded."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            headless=True,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Its address on loopback."""
    config = uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(5)


class Sent:
    """What the page asked the server, in order."""

    def __init__(self, page: Any) -> None:
        self.urls: list[str] = []
        page.on("request", lambda request: self.urls.append(request.url))

    @property
    def by_name(self) -> list[str]:
        return self._queries("/search/")

    @property
    def by_mood(self) -> list[str]:
        return self._queries("/search/semantic")

    def has(self, part: str) -> bool:
        return any(part in url for url in self.urls)

    def _queries(self, route: str) -> list[str]:
        urls = [urlsplit(url) for url in self.urls]
        return [parse_qs(url.query)["q"][0] for url in urls if url.path == route]


class Held:
    """The server's answers that reach the page when the test lets them."""

    def __init__(self, page: Any, pattern: str) -> None:
        self._routes: list[Any] = []
        page.route(pattern, self._keep)
        self._page = page

    def wait_for(self, count: int) -> None:
        while len(self._routes) < count:
            self._page.wait_for_timeout(5)

    def let_go(self, index: int = 0) -> None:
        self.wait_for(index + 1)
        self._routes[index].continue_()

    def _keep(self, route: Any) -> None:
        self._routes.append(route)


def search(page: Any, query: str) -> None:
    """Write the query and press Enter at once: on a slow machine, two commands of ours are further
    apart than the page waits for the next letter, and it would search twice."""
    page.locator("#query").focus()
    page.locator("#query").evaluate(
        """(box, query) => {
            box.value = query;
            box.dispatchEvent(new InputEvent("input", { bubbles: true }));
            const enter = { key: "Enter", bubbles: true, cancelable: true };
            box.dispatchEvent(new KeyboardEvent("keydown", enter));
        }""",
        query,
    )


def row(page: Any, title: str) -> Any:
    return page.locator("#results .row", has_text=title)


def titles(page: Any, group: str = "group") -> list[str]:
    return [str(text) for text in page.locator(f".{group} .row .title").all_inner_texts()]


def pass_time(page: Any, milliseconds: int) -> None:
    """Lets the page's clock go on, and then whatever it started reach us."""
    page.clock.run_for(milliseconds)
    page.evaluate("fetch('static/icon.svg')")
