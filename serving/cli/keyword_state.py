"""What `moodsearch doctor` says of keyword search."""

from collections.abc import Iterable, Iterator

from resources.catalogue.names.index import SourceState


def keyword_facts(states: Iterable[SourceState]) -> list[tuple[str, str]]:
    """Whether the names are all there, how changes are seen, and why any were missed."""
    known = list(states)
    lacking = [state.kind for state in known if not state.is_complete]
    compared = f"to be compared: {', '.join(lacking)}; moodsearch serve does it"
    kinds = ", ".join(state.kind for state in known)
    return [
        ("names", compared if lacking else f"complete: {kinds}"),
        *_ways_changes_are_seen(known),
    ]


def _ways_changes_are_seen(states: list[SourceState]) -> Iterator[tuple[str, str]]:
    for grant in dict.fromkeys(state.grant for state in states if state.grant):
        yield "new names", f"seen every 5 minutes only; have the table's owner run: {grant}"
    for table, missed in dict.fromkeys((state.table, state.missed) for state in states):
        if missed:
            yield "missed", f"changes of public.{table}, until they are compared: {missed}"
