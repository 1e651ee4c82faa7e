"""What a list is asked for by its address: which page, since which day."""

from datetime import date

from fastapi import Request

from knowledge.errors import InvalidInput


def page_number(request: Request) -> int:
    """The number in `?page=`, 1 to 9999; 1 for anything else."""
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 5 else 1


def day_of(text: str) -> date | None:
    """A day as a date field sends it, None for an empty one; InvalidInput for anything else."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"“{text}”不是日期，请写成 2027-01-01") from error
