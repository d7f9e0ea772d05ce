"""How often one device, or one address, may call. A count a minute in this process's memory: quick, and fails open."""

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
            # Pushed out of the cache between the two lines.
            return 1


class DeviceThrottle(_MinuteThrottle):
    """Refuses a device's calls beyond DEVICE_REQUESTS_PER_MINUTE, counted in each API process."""

    def allow_request(self, request: Request, view: object) -> bool:
        device = request.user
        return device is None or self._count(str(device.pk)) <= settings.DEVICE_REQUESTS_PER_MINUTE


class EnrolmentThrottle(_MinuteThrottle):
    """Refuses an address that enrols more than ENROLMENTS_PER_MINUTE. What keeps codes from being guessed is elsewhere:
    wrong ones are counted in the database, where all processes count together."""

    def allow_request(self, request: Request, view: object) -> bool:
        return self._count(f"enrolment:{source_of(address_of(request))}") <= settings.ENROLMENTS_PER_MINUTE
