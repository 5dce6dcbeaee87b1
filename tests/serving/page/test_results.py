"""What the page shows of the answers, and says where there are none."""

from pathlib import Path
from typing import Any

import pytest

from resources.backends import Backends
from serving.api.pages import STATIC
from tests.audio.covers import with_cover
from tests.audio.files import png
from tests.catalogue.names import until_followed
from tests.serving.page.browser import (
    Held,
    Open,
    expect,
    needs_chromium,
    row,
    search,
    sync_api,
    titles,
)
from tests.serving.page.catalogue import MARKUP, changed

pytestmark = needs_chromium


def test_moods_are_appended_without_moving_what_is_there(open_page: Open) -> None:
    page = open_page()
    moods = Held(page, "**/search/semantic*")
    search(page, "silver")
    expect(row(page, "Silver Album")).to_be_visible()
    page.keyboard.press("ArrowDown")
    rows = page.locator("#results .row")
    before = [(text, rows.nth(n).bounding_box()) for n, text in enumerate(rows.all_inner_texts())]
    first = rows.first.element_handle()
    moods.let_go()
    expect(page.locator(".group.mood .row").first).to_be_visible()
    after = [(text, rows.nth(n).bounding_box()) for n, text in enumerate(rows.all_inner_texts())]
    assert after[: len(before)] == before
    assert len(after) > len(before)
    assert first.get_attribute("aria-selected") == "true"
    assert page.locator("#query").get_attribute("aria-activedescendant") == "result-0"


def test_results_are_grouped_by_type_and_moods_carry_a_badge_with_their_similarity(
    open_page: Open,
) -> None:
    page = open_page()
    search(page, "silver")
    expect(page.locator(".group.mood .row").first).to_be_visible()
    assert page.locator(".group-title").all_inner_texts() == [
        "Tracks",
        "Albums",
        "Playlists",
        "Artists",  # Their names only begin with it.
        "Tags",
        "Sounds like this",
    ]
    assert titles(page, "artist") == ["silverman.example"]
    assert page.locator(".art.artist text").text_content() == "S"
    assert titles(page, "album") == ["Silver Album"]
    assert titles(page, "playlist") == ["Silver Mornings"]
    assert titles(page, "tag") == ["Silverwave"]
    badges = page.locator(".group.mood .badge").all_inner_texts()
    assert len(badges) == page.locator(".group.mood .row").count()
    for text in badges:
        word, number, sign = text.split()
        assert (word, sign) == ("mood", "%")
        assert 0 <= int(number) <= 100
    assert page.locator(".group.track .badge").count() == 0


def test_a_track_that_was_found_by_name_is_not_repeated(open_page: Open) -> None:
    page = open_page()
    with page.expect_response("**/search/semantic*") as answered:
        search(page, "silver rain")
    by_mood = [result["title"] for result in answered.value.json()["results"]]
    assert "Silver Rain" in by_mood
    expect(row(page, "Warehouse")).to_be_visible()
    assert "Silver Rain" in titles(page, "track")
    assert len(titles(page)) == len(set(titles(page)))


def test_titles_and_queries_are_text_wherever_they_are_shown(open_page: Open) -> None:
    page = open_page(path="/?q=%3Cimg%20src%3Dx%20onerror%3Dwindow.hacked%3D1%3E")
    expect(row(page, "onerror").first).to_be_visible()
    row(page, "onerror").first.click()
    expect(page.locator("#track-title")).to_have_text(MARKUP)
    page.locator("#query").fill("")
    page.locator("#query").fill("<b>zzxxqq</b>")
    page.keyboard.press("Enter")
    expect(page.locator("#query")).to_have_value("<b>zzxxqq</b>")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.locator("#page b, #page img:not([src*=icon])").count() == 0


def test_a_mistake_that_made_markup_of_text_would_be_an_error(open_page: Open) -> None:
    page = open_page(flag=False, complain=True)
    attempt = "() => { document.body.innerHTML = '<b>bold</b>'; }"
    with pytest.raises(sync_api.Error, match="TrustedHTML"):
        page.evaluate(attempt)
    assert page.locator("b").count() == 0


def test_a_connection_that_comes_back_brings_the_results(open_page: Open) -> None:
    page = open_page(flag=False, complain=True)
    page.context.set_offline(True)
    search(page, "silver")
    expect(page.locator("#notice")).to_contain_text("You are offline")
    expect(page.get_by_role("status")).to_contain_text("You are offline")
    page.context.set_offline(False)
    expect(row(page, "Silver Album")).to_be_visible()
    expect(page.locator("#notice")).to_be_empty()


def test_a_server_that_fails_is_tried_again_on_demand(open_page: Open) -> None:
    page = open_page(flag=False, complain=True)
    page.route("**/search/?*", lambda route: route.fulfill(status=503, json={"detail": "down"}))
    search(page, "silver")
    expect(page.locator("#notice")).to_contain_text("Something went wrong")
    page.unroute("**/search/?*")
    page.get_by_role("button", name="Try again").click()
    expect(row(page, "Silver Album")).to_be_visible()


@pytest.mark.parametrize("how", ["unavailable", "broken", "busy"])
def test_without_moods_the_names_are_still_there(open_page: Open, how: str) -> None:
    page = open_page(complain=True)
    answers: dict[str, dict[str, Any]] = {
        "unavailable": {"json": {"results": [], "query": "silver", "available": False}},
        "broken": {"status": 502, "body": "<html>bad gateway"},
        "busy": {"status": 429, "headers": {"Retry-After": "7"}, "json": {"detail": "slow down"}},
    }
    page.route("**/search/semantic*", lambda route: route.fulfill(**answers[how]))
    search(page, "silver")
    words = "Too many searches" if how == "busy" else "Mood search is not available"
    expect(page.locator("#notice")).to_contain_text(words)
    expect(row(page, "Silver Album")).to_be_visible()
    expect(page.locator("#waiting")).to_be_hidden()


def test_what_is_wrong_is_in_sight_below_a_list_longer_than_the_screen(open_page: Open) -> None:
    page = open_page(complain=True, viewport={"width": 360, "height": 480})
    search(page, "silver")
    expect(page.locator(".group.mood .row").first).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator("#notice")).to_contain_text("You are offline")
    expect(page.locator("#notice")).to_be_in_viewport(ratio=1)
    expect(page.locator("#results .row").last).not_to_be_in_viewport()
    for _ in range(page.locator("#results .row").count() - 1):
        page.keyboard.press("ArrowDown")
    active = page.locator("[aria-selected=true]").bounding_box()
    assert active["y"] + active["height"] <= page.locator("#notice").bounding_box()["y"]


def test_that_nothing_was_found_by_name_is_said_where_moods_are_unavailable(
    open_page: Open,
) -> None:
    page = open_page()
    answer = {"results": [], "query": "xqzzvw", "available": False}
    page.route("**/search/semantic*", lambda route: route.fulfill(json=answer))
    search(page, "xqzzvw")
    expect(page.locator("#notice")).to_contain_text("There are no results by name")
    expect(page.locator("#notice")).not_to_contain_text("complete")


def test_nothing_found_is_said_so(open_page: Open) -> None:
    page = open_page(flag=False)
    search(page, "xqzzvw")
    expect(page.locator("#notice")).to_contain_text("No results for “xqzzvw”")
    expect(page.get_by_role("status")).to_contain_text("No results")


def test_moods_that_are_waited_for_are_announced_by_their_place(open_page: Open) -> None:
    page = open_page()
    moods = Held(page, "**/search/semantic*")
    search(page, "silver")
    expect(row(page, "Silver Album")).to_be_visible()
    expect(page.locator("#waiting")).to_contain_text("Listening")
    moods.let_go()
    expect(page.locator("#waiting")).to_be_hidden()


def test_a_picture_that_does_not_load_is_replaced(open_page: Open, backends: Backends) -> None:
    page = open_page(flag=False, complain=True)
    picture = (STATIC / "icon.svg").read_bytes()
    address = "https://images.example.com/x.jpg"
    page.route(address, lambda route: route.fulfill(body=picture, content_type="image/svg+xml"))
    with changed(backends, "Dust", image_url=address):
        search(page, "dust")
        expect(row(page, "Dust").locator("img")).not_to_have_js_property("naturalWidth", 0)
        page.route(address, lambda route: route.abort())
        page.reload()
        expect(row(page, "Dust").locator(".art > svg")).to_be_visible()
    with changed(backends, "Dust", image_url="javascript:alert(1)"):
        page.reload()
        expect(row(page, "Dust").locator(".art > svg")).to_be_visible()


def test_everything_comes_from_the_pages_own_host(open_page: Open, address: str) -> None:
    page = open_page()  # And it complains of no policy that is broken.
    search(page, "silver")
    expect(page.locator(".group.mood .row").first).to_be_visible()
    row(page, "Silver Rain").click()
    expect(page.locator("#duration")).to_have_text("0:03")
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#similar button").first).to_be_visible()
    assert len(page.sent.urls) > 20
    assert [url for url in page.sent.urls if not url.startswith(f"{address}/")] == []


def test_an_imported_cover_is_shown(open_page: Open, backends: Backends, tmp_path: Path) -> None:
    upload = backends.uploads.add(with_cover(tmp_path / "Cloudberry.mp3", png()))
    until_followed(backends.database)
    page = open_page(flag=False)
    search(page, upload.title)
    picture = row(page, upload.title).locator("img")
    expect(picture).to_have_js_property("naturalWidth", 1)
    assert picture.get_attribute("src").startswith(f"tracks/{upload.track_id}/artwork/")
    row(page, upload.title).click()
    expect(page.locator("#track-artwork img")).to_have_js_property("naturalWidth", 1)
    for trick in ("//evil.example/x.png", "/me", "/tracks/1/artwork/../../me", "data:,x"):
        with changed(backends, upload.title, image_url=trick):
            page.reload()
            expect(row(page, upload.title).locator(".art > svg")).to_be_visible()
