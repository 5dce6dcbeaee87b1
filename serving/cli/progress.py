"""Progress bars. Apart from `output`, because they take a while to import."""

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn


def progress(
    screen: Console, *more: ProgressColumn, transient: bool = False, disable: bool = False
) -> Progress:
    """A bar that says what is done and how many of them are, and shows `more` beside it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *more)
    return Progress(*columns, console=screen, transient=transient, disable=disable)
