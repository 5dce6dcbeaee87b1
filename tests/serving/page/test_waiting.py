"""What the page does while it waits: for slow answers, and after a 429 or 503."""

from typing import Any

import pytest

from tests.serving.page.browser import (
    Held,
    Open,
    expect,
    needs_chromium,
    pass_time,
    row,
    search,
)

pytestmark = needs_chromium


def too_many(page: Any, seconds: int, status: int = 429) -> None:
    """The server answers so from now on: 429 to one client's many, 503 to the many of all."""
    answer = {
        "status": status,
        "headers": {"Retry-After": str(seconds)},
        "json": {"detail": "wait"},
    }
    page.route("**/search/semantic*", lambda route: route.fulfill(**answer))


def test_a_busy_server_is_asked_again_by_itself_when_it_said_and_once(open_page: Open) -> None:
    page = open_page(clock=True, complain=True)
    too_many(page, 7)
    search(page, "silver")
    pass_time(page, 10)
    notice = page.locator("#notice")
    expect(notice).to_contain_text("Too many searches")
    expect(notice).to_contain_text("Trying again in 7 seconds.")
    expect(page.get_by_role("status")).to_contain_text("Trying again in 7 seconds.")
    expect(row(page, "Silver Album")).to_be_visible()
    pass_time(page, 6_000)
    expect(notice).to_contain_text("Trying again in 1 second.")
    expect(page.get_by_role("status")).to_contain_text("in 7 seconds.")  # Said once.
    assert page.sent.by_mood == ["silver"]
    pass_time(page, 1_000)
    expect(notice).to_contain_text("Try again in 7 seconds.")
    assert page.sent.by_mood == ["silver", "silver"]
    pass_time(page, 60_000)
    assert (page.sent.by_name, page.sent.by_mood) == (["silver"], ["silver", "silver"])
    page.unroute("**/search/semantic*")
    page.get_by_role("button", name="Try again").click()
    pass_time(page, 10)
    expect(page.locator(".group.mood .row").first).to_be_visible()
    expect(notice).to_be_empty()


@pytest.mark.parametrize("status", [429, 503])
def test_moods_that_had_to_wait_are_appended_to_what_is_there(open_page: Open, status: int) -> None:
    page = open_page(complain=True)
    too_many(page, 1, status)
    search(page, "silver")
    expect(page.locator("#notice")).to_contain_text("Trying again")
    first = row(page, "Silver Album").element_handle()
    page.unroute("**/search/semantic*")
    expect(page.locator(".group.mood .row").first).to_be_visible()
    expect(page.locator("#notice")).to_be_empty()
    assert first.is_visible()
    assert page.sent.by_name == ["silver"]


def test_another_query_does_not_wait_for_the_one_before(open_page: Open) -> None:
    page = open_page(clock=True, complain=True)
    too_many(page, 7)
    search(page, "silver")
    pass_time(page, 10)
    expect(page.locator("#notice")).to_contain_text("Trying again")
    page.unroute("**/search/semantic*")
    search(page, "warehouse")
    pass_time(page, 10)
    expect(page.locator(".group.mood .row").first).to_be_visible()
    pass_time(page, 60_000)
    assert page.sent.by_mood == ["silver", "warehouse"]


@pytest.mark.parametrize("seconds", [61, 86_400])
def test_nobody_is_left_waiting_for_longer_than_a_minute(open_page: Open, seconds: int) -> None:
    page = open_page(complain=True)
    too_many(page, seconds)
    search(page, "silver")
    expect(page.locator("#notice")).to_contain_text(f"Try again in {seconds} seconds.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_slow_answer_is_waited_for_in_sight(open_page: Open) -> None:
    page = open_page(flag=False, clock=True)
    names = Held(page, "**/search/?*")
    search(page, "silver")
    pass_time(page, 290)
    expect(page.locator("#waiting")).to_be_hidden()
    pass_time(page, 20)
    expect(page.locator("#waiting")).to_contain_text("Searching")
    names.let_go()
    expect(row(page, "Silver Album")).to_be_visible()
    expect(page.locator("#waiting")).to_be_hidden()
