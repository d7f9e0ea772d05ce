"""Links to Flower, and to a batch's tasks in it."""

from urllib.parse import urlencode

from django.conf import settings

from backend.sales.dispatch import TASK


def flower_address() -> str:
    """Return the address of Flower for operators, "" if none is configured."""
    return settings.FLOWER_URL


def flower_tasks_address(receipt: object) -> str:
    """Return the page of Flower that lists the rings for this receipt, "" if no address of Flower is configured.

    Flower copies the parameter `name` into its search as it is, so the second search term goes in there too.
    """
    if not settings.FLOWER_URL:
        return ""
    return f"{settings.FLOWER_URL}/tasks?{urlencode({'name': f'{TASK} kwargs:{receipt}'}).replace('+', '%20')}"
