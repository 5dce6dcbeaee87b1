"""Names that are typed for users and flags."""

import typer


def check_name(argument: str, name: str, *, longest: int = 2048) -> None:
    """Raise a usage error unless `name` is 1 to `longest` printable characters without spaces (a
    DID has at most 2,048)."""
    if not 1 <= len(name) <= longest or not name.isprintable() or " " in name:
        raise typer.BadParameter(
            f"must be 1 to {longest:,} printable characters without spaces", param_hint=argument
        )
