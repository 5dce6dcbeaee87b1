"""Amounts of money for people."""

from typing import Final

CENT: Final = 0.01


def about(dollars: float) -> str:
    """An estimate inside a sentence: `nothing`, `less than $0.01`, `about $1,234.50`."""
    if dollars == 0:
        return "nothing"
    return f"about {price(dollars)}" if dollars >= CENT else "less than $0.01"


def price(dollars: float, *, is_most: bool = False) -> str:
    """`$0`, `<$0.01`, `$1,234.50`, `≤$10.54` for an upper bound."""
    if dollars == 0:
        return "$0"
    if dollars < CENT:
        return "<$0.01"
    return f"{'≤' if is_most else ''}${dollars:,.2f}"
