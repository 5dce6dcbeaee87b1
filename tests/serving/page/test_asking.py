"""When the page asks what, and which answers count."""

from datetime import timedelta

import pytest

from resources.backends import Backends
from serving.tokens import make_token
from tests.serving.conftest import SECRET
from tests.serving.page.browser import (
    LISTENER,
    Held,
    Open,
    expect,
    needs_chromium,
    pass_time,
    row,
    search,
    titles,
)

pytestmark = needs_chromium


def test_names_are_asked_for_150_ms_after_the_last_key_and_moods_500(open_page: Open) -> None:
    page = open_page(clock=True)
    page.locator("#query").press_sequentially("sil")
    pass_time(page, 140)
    page.keyboard.press("v")
    pass_time(page, 149)
    assert page.sent.by_name == []
    pass_time(page, 1)
    assert page.sent.by_name == ["silv"]
    pass_time(page, 349)
    assert page.sent.by_mood == []
    pass_time(page, 1)
    assert page.sent.by_mood == ["silv"]
    pass_time(page, 10_000)
    assert (page.sent.by_name, page.sent.by_mood) == (["silv"], ["silv"])


def test_one_letter_asks_nothing_two_ask_for_names_three_for_moods(open_page: Open) -> None:
    page = open_page(clock=True)
    for letter, by_name, by_mood in (
        ("s", [], []),
        ("i", ["si"], []),
        ("l", ["si", "sil"], ["sil"]),
    ):
        page.locator("#query").press_sequentially(letter)
        pass_time(page, 1_000)
        assert (page.sent.by_name, page.sent.by_mood) == (by_name, by_mood)


def test_a_long_query_is_a_mood_and_no_name(open_page: Open) -> None:
    page = open_page()
    search(page, "rain " * 30)
    expect(page.locator(".group.mood .row").first).to_be_visible()
    assert page.sent.by_name == []


def test_names_and_moods_are_asked_for_in_parallel(open_page: Open) -> None:
    page = open_page()
    names, moods = Held(page, "**/search/?*"), Held(page, "**/search/semantic*")
    page.locator("#query").fill("silver")
    names.wait_for(1)
    moods.wait_for(1)  # While nobody has answered the first.
    moods.let_go()
    page.wait_for_timeout(100)
    assert titles(page) == []  # There must be something to append them to.
    names.let_go()
    expect(page.locator(".group.mood .row").first).to_be_visible()
    assert titles(page)[:2] == ["Silver Rain", "Silver Engine"] or titles(page)[:2] == [
        "Silver Engine",
        "Silver Rain",
    ]


def test_a_late_answer_to_an_older_query_is_never_shown(open_page: Open) -> None:
    page = open_page()
    names, moods = Held(page, "**/search/?*"), Held(page, "**/search/semantic*")
    search(page, "warehouse")
    names.wait_for(1)
    moods.wait_for(1)
    search(page, "lullaby")
    names.let_go(1)
    expect(row(page, "Lullaby")).to_be_visible()
    names.let_go(0)
    moods.let_go(0)
    page.wait_for_timeout(200)
    assert titles(page) == ["Lullaby"]
    moods.let_go(1)
    expect(page.locator(".group.mood")).to_be_visible()
    assert titles(page)[0] == "Lullaby"


def test_an_older_query_counts_for_nothing_even_if_its_request_cannot_be_stopped(
    open_page: Open,
) -> None:
    page = open_page()
    page.evaluate(
        """() => {
            const ask = window.fetch;
            window.fetch = (url, options) => ask(url, { ...options, signal: undefined });
        }"""
    )
    names = Held(page, "**/search/?*")
    search(page, "warehouse")
    names.wait_for(1)
    search(page, "lullaby")
    names.let_go(1)
    expect(page.locator(".group.mood")).to_be_visible()
    shown = titles(page)
    assert shown[0] == "Lullaby"
    with page.expect_response("**/search/?q=warehouse*"):
        names.let_go(0)
    page.wait_for_timeout(200)
    assert titles(page) == shown


@pytest.mark.parametrize("token", [False, True])
def test_without_the_flag_nothing_is_asked_for_by_mood(
    open_page: Open, backends: Backends, token: bool
) -> None:
    page = open_page(flag=False)
    if token:
        page.goto(f"{page.url}#token={make_token(SECRET, 'did:plc:somebody-else')}")
    search(page, "silver")
    expect(row(page, "Silver Album")).to_be_visible()
    page.wait_for_timeout(700)
    assert not page.sent.has("/search/semantic")
    assert not page.sent.has("/search/warm")
    assert page.sent.has("/me") is token
    assert page.locator(".mood").count() == 0
    assert "Silver Rain" in titles(page)


def test_the_token_leaves_the_address_and_stays_for_the_tab(open_page: Open) -> None:
    page = open_page(path="/?q=silver")
    expect(page.locator(".group.mood .row").first).to_be_visible()
    assert "token" not in page.url
    assert page.url.endswith("/?q=silver")
    assert not any("token" in url for url in page.sent.urls)
    page.reload()
    expect(page.locator(".group.mood .row").first).to_be_visible()


def test_the_token_leaves_the_address_before_anything_is_searched(
    open_page: Open, address: str
) -> None:
    page = open_page()
    assert page.url == f"{address}/"
    assert page.evaluate("history.length") <= 2  # No way back to it either.


def test_a_token_that_has_expired_is_forgotten(open_page: Open, address: str) -> None:
    page = open_page(flag=False, complain=True)
    expired = make_token(SECRET, LISTENER, timedelta(seconds=-1))
    with page.expect_response("**/me") as answered:
        page.goto(f"{address}/#token={expired}")
    assert answered.value.status == 401
    search(page, "silver")
    expect(row(page, "Silver Album")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    assert not page.sent.has("/search/semantic")


def test_what_answers_is_warmed_when_the_box_is_opened(open_page: Open) -> None:
    page = open_page()
    assert not page.sent.has("/search/warm")
    with page.expect_request("**/search/warm"):
        page.locator("#query").focus()


def test_the_server_is_told_who_asks_so_that_it_counts_users_and_not_addresses(
    open_page: Open,
) -> None:
    for flag in (True, False):
        page = open_page(flag=flag)
        with page.expect_request("**/search/?*") as asked:
            search(page, "silver")
        said = asked.value.headers.get("authorization", "")
        assert said.startswith("Bearer ") is flag
