"""What goes wrong on the user's machine, said in one sentence."""


class LocalFailure(Exception):
    """The stack can't go on. Its text is one English sentence for the user."""


def other_version(whose: str) -> LocalFailure:
    """The data of `whose` is from before a change that nothing leads over."""
    return LocalFailure(
        f"The data of {whose} was stored by another version, which this one can't read: "
        "remove it with `rm -r .data` (in containers: `docker compose down --volumes`), and "
        "start again."
    )
