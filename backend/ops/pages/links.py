"""Where Flower is, and where in it a batch's tasks are."""

from urllib.parse import urlencode

from django.conf import settings

from backend.sales.dispatch import TASK


def flower_address() -> str:
    """Return where operators reach Flower, "" if the settings do not say."""
    return settings.FLOWER_URL


def flower_tasks_address(receipt: object) -> str:
    """Return the page of Flower that lists the rings for this receipt, "" if the settings do not say where Flower is.

    What its page is given as a name it puts into its search as it is, a second term included.
    """
    if not settings.FLOWER_URL:
        return ""
    return f"{settings.FLOWER_URL}/tasks?{urlencode({'name': f'{TASK} kwargs:{receipt}'}).replace('+', '%20')}"
