"""Which page of a list is asked for."""

from fastapi import Request


def page_number(request: Request) -> int:
    """The number in `?page=`, 1 to 9999; 1 for anything else."""
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 5 else 1
