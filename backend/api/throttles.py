"""How often one device may call. A count a minute in this process's memory: quick, and it fails open."""

import time

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW_S = 60


class DeviceThrottle(BaseThrottle):
    """Refuses a device's calls beyond DEVICE_REQUESTS_PER_MINUTE, counted in each API process."""

    def allow_request(self, request: Request, view: object) -> bool:
        device = request.user
        if device is None:
            return True
        key = f"calls:{device.pk}:{int(time.time() // WINDOW_S)}"
        cache.add(key, 0, timeout=2 * WINDOW_S)
        try:
            return cache.incr(key) <= settings.DEVICE_REQUESTS_PER_MINUTE
        except ValueError:
            # Pushed out of the cache between the two lines.
            return True

    def wait(self) -> float:
        return WINDOW_S - time.time() % WINDOW_S
