"""The number beside a mood result: its cosine on the scale of `shown_similarity`."""

from resources.backends import Backends
from serving.search.shown_similarity import shown_scale
from tests.serving.page.browser import Open, expect, needs_chromium, search

pytestmark = needs_chromium


def test_the_page_shows_a_cosine_as_the_table_of_the_command_does(
    open_page: Open, backends: Backends
) -> None:
    page = open_page()
    with page.expect_response("**/search/semantic*") as answered:
        search(page, "cold rain")
    expect(page.locator(".group.mood .row").first).to_be_visible()
    scale = shown_scale(backends.text_model.model)
    similarities = {r["title"]: r["similarity"] for r in answered.value.json()["results"]}
    for row in page.locator(".group.mood .row").all():
        title = row.locator(".title").inner_text()
        shown = row.locator(".badge").inner_text().split()[-2]
        assert int(shown) == scale.percent(similarities[title])
