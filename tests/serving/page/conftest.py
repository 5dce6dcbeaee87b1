"""One server and one browser for all tests of the page, and a page of its own for each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from resources.backends import Backends
from resources.settings import load_settings
from serving.api.app import create_app
from serving.tokens import make_token
from tests.catalogue.names import until_followed
from tests.serving.conftest import SECRET
from tests.serving.page.catalogue import fill

if TYPE_CHECKING:
    from tests.serving.page.browser import Open


@pytest.fixture(scope="package")
def backends(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """The catalogue, in a database of its own."""
    from tests.serving.page.browser import FLAG, LISTENER

    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE page TEMPLATE moodsearch_template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", postgres_server.replace("/moodsearch?", "/page?"))
        patch.setenv("MOODSEARCH_HOME", str(tmp_path_factory.mktemp("page")))
        patch.setenv("SESSION_SECRET", SECRET)
        # All tests are one client, and quicker than any listener.
        patch.setenv("API_RATE_LIMIT_PER_MINUTE", "0")
        settings = load_settings()
    with Backends(settings) as backends:
        fill(backends)
        backends.flags.grant(LISTENER, FLAG)
        yield backends
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute("DROP DATABASE page WITH (FORCE)")


@pytest.fixture(scope="package")
def address(backends: Backends) -> Iterator[str]:
    from tests.serving.page.browser import served

    with served(create_app(backends)) as address:
        until_followed(backends.database)
        yield address


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """Ends with the package: asyncio cannot be used beside it."""
    from tests.serving.page.browser import running_browser

    with running_browser() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator["Open"]:
    """Opens the page at `path`, as a listener with the flag or as nobody; `how` describes the
    screen. With `clock`, the page's time stands still until it is told to pass.

    Whatever the browser complains of fails the test, unless it may `complain`.
    """
    from tests.serving.page.browser import LISTENER, Sent

    contexts: list[Any] = []
    complaints: list[str] = []

    def note(said: Any) -> None:
        # Suggested tags are an extra that a server may lack.
        if "recommended-tags" not in said.location["url"]:
            complaints.append(f"{said.text} {said.location['url']}")

    def open_page(
        flag: bool = True, path: str = "/", complain: bool = False, clock: bool = False, **how: Any
    ) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | how))
        contexts.append(context)
        page = context.new_page()
        if not complain:
            page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.sent = Sent(page)
        if clock:
            page.clock.install()
        if flag:
            with page.expect_response("**/me"):
                page.goto(f"{address}{path}#token={make_token(SECRET, LISTENER)}")
        else:
            page.goto(f"{address}{path}")
        if clock:
            page.clock.pause_at(page.evaluate("Date.now()") + 60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
