"""What goes wrong on the user's machine, said in one sentence."""


class LocalFailure(Exception):
    """The stack can't go on. Its text is one English sentence for the user."""
