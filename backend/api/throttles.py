"""Limits on the calls of one device or address, counted per minute in this process's memory: fast, and fails open."""

import time

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from backend.observability.request_context import address_of
from backend.shops.enrolment import source_of

WINDOW_S = 60


class _MinuteThrottle(BaseThrottle):
    def wait(self) -> float:
        return WINDOW_S - time.time() % WINDOW_S

    def _count(self, caller: str) -> int:
        key = f"calls:{caller}:{int(time.time() // WINDOW_S)}"
        cache.add(key, 0, timeout=2 * WINDOW_S)
        try:
            return cache.incr(key)
        except ValueError:
            # The cache evicted the key between the two calls.
            return 1


class DeviceThrottle(_MinuteThrottle):
    """Refuses a device's calls beyond DEVICE_REQUESTS_PER_MINUTE, counted in each API process."""

    def allow_request(self, request: Request, view: object) -> bool:
        device = request.user
        return device is None or self._count(str(device.pk)) <= settings.DEVICE_REQUESTS_PER_MINUTE


class EnrolmentThrottle(_MinuteThrottle):
    """Refuses an address that sends more than ENROLMENTS_PER_MINUTE.

    It does not protect codes from being guessed: backend.shops.enrolment counts wrong ones, in the database, which all
    processes share.
    """

    def allow_request(self, request: Request, view: object) -> bool:
        return self._count(f"enrolment:{source_of(address_of(request))}") <= settings.ENROLMENTS_PER_MINUTE
