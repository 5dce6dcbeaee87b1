"""The page by keyboard and screen reader, on a narrow screen, in light and dark, at rest."""

from typing import Any

import pytest

from tests.serving.page.browser import Held, Open, expect, needs_chromium, row, search
from tests.serving.page.catalogue import LONG

pytestmark = needs_chromium


def test_the_box_is_opened_by_keys_and_the_results_are_walked_with_arrows(open_page: Open) -> None:
    page = open_page(flag=False)
    box = page.locator("#query")
    for keys in ("/", "Control+k", "Meta+k"):
        expect(box).not_to_be_focused()
        page.keyboard.press(keys)
        expect(box).to_be_focused()
        expect(box).to_have_value("")
        page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("silver/")
    expect(box).to_have_value("silver/")
    page.keyboard.press("Backspace")
    expect(row(page, "Silver Album")).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "true")
    count = page.locator("[role=option]").count()
    for key, index in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", count - 1)):
        page.keyboard.press(key)
        expect(box).to_have_attribute("aria-activedescendant", f"result-{index}")
        expect(page.locator("[aria-selected=true]")).to_have_id(f"result-{index}")
        expect(box).to_be_focused()
    page.keyboard.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == "result-0"
    page.keyboard.press("Escape")
    expect(box).to_have_attribute("aria-expanded", "false")
    expect(box).not_to_be_focused()
    expect(row(page, "Silver Album")).to_be_hidden()
    page.keyboard.press("/")
    expect(row(page, "Silver Album")).to_be_visible()


def test_enter_opens_what_is_no_track_as_a_search_for_it(open_page: Open) -> None:
    page = open_page(flag=False)
    search(page, "silver")
    row(page, "Silver Mornings").click()
    expect(page.locator("#query")).to_have_value("Silver Mornings")
    expect(page.locator("#query")).to_be_focused()
    expect(page.locator("#results .row").first).to_contain_text("Silver Mornings")


def test_what_is_found_is_said_to_screen_readers(open_page: Open) -> None:
    page = open_page()
    expect(page.get_by_role("combobox", name="Search")).to_be_visible()
    search(page, "silver")
    status = page.get_by_role("status")
    expect(status).to_contain_text("by sound")
    assert "results, " in status.inner_text()
    expect(page.get_by_role("heading", level=1)).to_have_text("Find it by its sound")
    listbox = page.get_by_role("listbox", name="Results")
    expect(listbox.get_by_role("group", name="Albums").get_by_role("option")).to_have_count(1)
    option = listbox.get_by_role("group", name="Sounds like this").get_by_role("option").first
    assert "mood" in option.inner_text()


def overflow(page: Any) -> int:
    width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return int(page.evaluate(width))


PLACEHOLDER_FITS = """input => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(input);
    const pen = new OffscreenCanvas(1, 1).getContext("2d");
    pen.font = font;
    const room = input.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    return pen.measureText(input.placeholder).width <= room;
}"""


def test_at_360_pixels_nothing_is_wider_than_the_screen(open_page: Open) -> None:
    page = open_page(viewport={"width": 360, "height": 640}, has_touch=True, is_mobile=True)
    assert overflow(page) == 0
    expect(page.locator("#query")).to_have_attribute("placeholder", "A mood, a sound or a name")
    assert page.locator("#query").evaluate(PLACEHOLDER_FITS)
    expect(page.locator(".box kbd")).to_be_hidden()  # There are no keys.
    search(page, LONG[:100])
    expect(row(page, LONG).first).to_be_visible()
    expect(page.locator(".group.mood")).to_be_visible()
    assert overflow(page) == 0
    row(page, LONG).first.click()
    expect(page.locator("#track-title")).to_have_text(LONG)
    page.get_by_role("button", name="Details").click()
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#similar button").first).to_be_visible()
    assert overflow(page) == 0
    for button in ("#play", "#expand", "#clear"):
        box = page.locator(button).bounding_box()
        assert min(box["width"], box["height"]) >= 40
        assert box["x"] + box["width"] <= 360
    page.keyboard.press("Escape")
    expect(page.locator("#similar")).to_be_hidden()


CONTRAST = """element => {
    const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const paint = (colors) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (rgb) => rgb
        .map((value) => value / 255)
        .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = [];
    for (let up = element; up; up = up.parentElement) {
        behind.unshift(getComputedStyle(up).backgroundColor);
    }
    const ink = getComputedStyle(element).color;
    const [light, dark] = [luminance(paint(behind)), luminance(paint([...behind, ink]))]
        .sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
}"""
"""WCAG 2.2's contrast ratio of an element's text to what is behind it."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_legible_in_light_and_dark(open_page: Open, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    parts = ["h1", "#lead", ".chip", "header .quiet"]
    ratios = {part: page.locator(part).first.evaluate(CONTRAST) for part in parts}
    search(page, "silver")
    expect(page.locator(".group.mood")).to_be_visible()
    page.keyboard.press("ArrowDown")
    row(page, "Silver Rain").click()
    parts = ["#query", ".row .title", ".row .by", ".row.current .title", ".mood .badge"]
    parts += [".group-title", "#track-artist", "#elapsed", "#more", "#play"]
    ratios |= {part: page.locator(part).first.evaluate(CONTRAST) for part in parts}
    assert {part: ratio for part, ratio in ratios.items() if ratio < 4.5} == {}
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(value) for value in paper[4:-1].split(","))
    assert (brightness > 600) is (scheme == "light")


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_who_asked_for_that(open_page: Open, motion: str, moves: bool) -> None:
    page = open_page(reduced_motion=motion)
    Held(page, "**/search/semantic*")
    search(page, "silver")
    row(page, "Silver Rain").click()
    expect(row(page, "Silver Rain")).to_have_class("row current playing")
    expect(page.locator(".skeleton").first).to_be_visible()
    running = page.evaluate("document.getAnimations().length")
    assert (running > 0) is moves
