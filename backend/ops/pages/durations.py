"""Durations in two words: operators want to know how long ago something was before they want its date."""

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def length(duration: timedelta) -> str:
    """Return `12 s`, `3 min`, `5 h`, `4 jours`. A negative duration, as from another machine's clock, is `0 s`."""
    seconds = max(0, int(duration.total_seconds()))
    if seconds < 2 * MINUTE_S:
        return _("%(count)s s") % {"count": seconds}
    if seconds < 2 * HOUR_S:
        return _("%(count)s min") % {"count": seconds // MINUTE_S}
    if seconds < 2 * DAY_S:
        return _("%(count)s h") % {"count": seconds // HOUR_S}
    days = seconds // DAY_S
    return ngettext("%(count)s jour", "%(count)s jours", days) % {"count": days}
