"""The track that was picked: it plays, and leads to others."""

import re
from pathlib import Path
from typing import Any

import pytest

from resources.backends import Backends
from tests.audio.files import ENCODINGS, RARE_ENCODINGS, chirp, write_audio
from tests.serving.page.browser import Open, expect, needs_chromium, row, search, titles
from tests.serving.page.catalogue import changed

pytestmark = needs_chromium


def test_a_track_is_played_in_ranges_and_can_be_sought_in(open_page: Open) -> None:
    page = open_page(flag=False)
    search(page, "silver rain")
    expect(row(page, "Silver Rain")).to_be_visible()
    page.keyboard.press("ArrowDown")
    with page.expect_response("**/audio") as answered:
        page.keyboard.press("Enter")
    assert answered.value.status == 206
    assert answered.value.headers["content-type"] == "audio/wav"
    expect(page.locator("#play")).to_have_attribute("aria-label", "Pause")
    expect(page.locator("#duration")).to_have_text("0:03")
    expect(row(page, "Silver Rain")).to_have_class("row current playing")
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_attribute("aria-label", "Play")
    seek = page.locator("#seek")
    seek.fill("2")
    expect(seek).to_have_attribute("aria-valuetext", "0:02 of 0:03")
    assert page.locator("#audio").evaluate("audio => audio.currentTime") == 2


@pytest.mark.parametrize("name", ["aiff", "alac", "wma"])
def test_what_the_browser_does_not_play_is_played_as_wav(
    open_page: Open, backends: Backends, tmp_path: Path, name: str
) -> None:
    encoding = {**ENCODINGS, **RARE_ENCODINGS}[name]
    path = write_audio(tmp_path / "odd", chirp(3, 44_100), encoding)
    backends.store.put_file(f"audio/{name}.{encoding.extension}", path)
    page = open_page(flag=False, complain=True)
    search(page, "dust")
    with changed(backends, "Dust", file_id=name, file_type=encoding.extension):
        row(page, "Dust").click()
        expect(row(page, "Dust")).to_have_class("row current playing")
        expect(page.locator("#duration")).to_have_text("0:03")
        page.locator("#play").click()
        page.locator("#seek").fill("2")
        expect(page.locator("#seek")).to_have_attribute("aria-valuetext", "0:02 of 0:03")
        seconds = page.locator("#audio").evaluate("audio => audio.currentTime")
    assert abs(seconds - 2) < 0.1
    expect(page.get_by_role("alert")).to_be_empty()
    assert page.sent.has("/audio.wav")


@pytest.mark.parametrize(
    ("file_id", "words"), [("gone", "audio is missing"), ("odd", "cannot play this file")]
)
def test_audio_that_cannot_be_played_is_said_so(
    open_page: Open, backends: Backends, file_id: str, words: str
) -> None:
    backends.store.put("audio/odd.aiff", b"FORM, but nothing that a browser knows")
    page = open_page(flag=False, complain=True)
    search(page, "dust")
    with changed(backends, "Dust", file_id=file_id, file_type="aiff"):
        row(page, "Dust").click()
        expect(page.get_by_role("alert")).to_contain_text(words)
        link = page.get_by_role("alert").get_by_role("link", name="Download it")
        expect(link).to_have_count(0 if file_id == "gone" else 1)
    expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "cannot be reached right now"),
        ({"status": 503, "headers": {"Retry-After": "5"}}, "server could not send this track"),
        ({"status": 429, "headers": {"Retry-After": "3"}}, "Try again in 3 seconds."),
    ],
)
@pytest.mark.parametrize("way", ["button", "row"])
def test_a_track_that_failed_is_asked_for_again(
    open_page: Open, answer: dict[str, Any] | None, words: str, way: str
) -> None:
    page = open_page(flag=False, complain=True)
    page.route("**/audio", lambda route: route.fulfill(**answer) if answer else route.abort())
    search(page, "dust")
    row(page, "Dust").click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(words)
    expect(page.locator("#play")).to_have_attribute("aria-label", "Play")
    page.unroute("**/audio")
    if way == "button":
        page.locator("#play").focus()
        page.keyboard.press("Enter")
    else:
        row(page, "Dust").click()
    expect(row(page, "Dust")).to_have_class("row current playing")
    expect(page.locator("#duration")).to_have_text("0:03")
    expect(alert).to_be_empty()
    assert not page.sent.has("/audio.wav")


@pytest.mark.parametrize(("file_id", "words"), [("gone", "is missing"), ("odd", "cannot play")])
def test_a_redirect_that_leads_nowhere_is_explained_by_what_the_server_finds(
    open_page: Open, backends: Backends, file_id: str, words: str
) -> None:
    backends.store.put("audio/odd.aiff", b"FORM, but nothing that a browser knows")
    page = open_page(flag=False, complain=True)
    elsewhere = {"status": 307, "headers": {"Location": "/nowhere"}}
    page.route("**/audio", lambda route: route.fulfill(**elsewhere))
    search(page, "dust")
    with changed(backends, "Dust", file_id=file_id, file_type="aiff"):
        row(page, "Dust").click()
        expect(page.get_by_role("alert")).to_contain_text(words)


def test_wav_goes_on_where_the_file_broke(open_page: Open) -> None:
    page = open_page(flag=False, complain=True)
    search(page, "dust")
    row(page, "Dust").click()
    expect(page.locator("#duration")).to_have_text("0:03")
    page.locator("#play").click()
    page.locator("#seek").fill("2")
    # A file whose rest cannot be decoded; Chromium plays the whole of what these tests have.
    page.locator("#audio").evaluate(
        """audio => {
            const error = { code: MediaError.MEDIA_ERR_DECODE }, broken = audio.src;
            const get = () => (audio.src === broken ? error : null);
            Object.defineProperty(audio, "error", { get });
            audio.dispatchEvent(new Event("error"));
        }"""
    )
    expect(page.locator("#audio")).to_have_attribute("src", re.compile(r"/audio\.wav$"))
    expect(page.locator("#duration")).to_have_text("0:03")
    assert page.locator("#audio").evaluate("audio => audio.currentTime") >= 1.9
    expect(page.get_by_role("alert")).to_be_empty()


def test_more_like_this_leads_from_track_to_track(open_page: Open) -> None:
    page = open_page()
    search(page, "warehouse")
    expect(row(page, "Warehouse")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Enter")
    similar = page.locator("#similar button")
    expect(similar.first).to_contain_text("Silver Engine")
    assert "Warehouse" not in " ".join(similar.all_inner_texts())
    similar.first.click()
    expect(page.locator("#track-title")).to_have_text("Silver Engine")
    expect(page.locator("#more")).to_be_focused()
    page.keyboard.press("Enter")
    expect(similar.first).to_contain_text("Warehouse")
    assert titles(page)[0] == "Warehouse"  # The results have stayed.


def test_more_like_this_can_be_asked_for_again_where_the_server_was_busy(open_page: Open) -> None:
    page = open_page(flag=False, complain=True)
    answer = {"status": 429, "headers": {"Retry-After": "3"}, "json": {"detail": "wait"}}
    page.route("**/similar*", lambda route: route.fulfill(**answer))
    search(page, "warehouse")
    row(page, "Warehouse").click()
    page.get_by_role("button", name="More like this").click()
    words = "Too many searches. Try again in 3 seconds."
    expect(page.locator("#similar")).to_contain_text(words)
    expect(page.get_by_role("status")).to_have_text(words)
    page.unroute("**/similar*")
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#similar button").first).to_contain_text("Silver Engine")


@pytest.mark.parametrize("how", ["suggested", "none", "unavailable", "missing", "broken"])
def test_tags_are_suggested_where_there_are_some(open_page: Open, how: str) -> None:
    page = open_page(flag=False, complain=True)
    scores = {"Silverwave": 0.8, "<i>noise</i>": 0.2, "a mere guess": 0.19}
    tags = [{"name": name, "score": score} for name, score in scores.items()]
    answer = {"track_id": 1, "tags": [], "available": how != "unavailable"}
    answers: dict[str, dict[str, Any]] = {
        "suggested": {"json": answer | {"tags": tags}},
        "none": {"json": answer},
        "unavailable": {"json": answer},
        "missing": {"status": 404, "json": {"detail": "Not Found"}},
        "broken": {"status": 500, "body": "oh"},
    }
    page.route("**/recommended-tags*", lambda route: route.fulfill(**answers[how]))
    search(page, "dust")
    with page.expect_response("**/recommended-tags*"):
        row(page, "Dust").click()
    if how != "suggested":
        page.wait_for_timeout(100)
        expect(page.locator("#tags")).to_be_hidden()
        return
    expect(page.locator("#tag-list button")).to_have_text(["Silverwave", "<i>noise</i>"])
    page.get_by_role("button", name="Silverwave").click()
    expect(page.locator("#query")).to_have_value("Silverwave")
    expect(page.locator("#results .row").first).to_contain_text("Silverwave")
