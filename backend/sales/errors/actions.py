"""What a till does with a sale, by its outcome."""

from backend.sales.errors.refusals import FieldInvalid, KindUnknown
from backend.sales.models import OutcomeStatus

ACTIONS = ("purger", "garder", "corriger")
# What the till should do with a sale, by its code where the code decides, else by its status.
ACTION_BY_CODE = {FieldInvalid.code: "corriger", KindUnknown.code: "corriger"}
ACTION_BY_STATUS = {
    OutcomeStatus.CREATED: "purger",
    OutcomeStatus.VOIDED: "purger",
    OutcomeStatus.RETURNED: "purger",
    OutcomeStatus.PAID: "purger",
    OutcomeStatus.DUPLICATE: "purger",
    OutcomeStatus.SET_ASIDE: "purger",
    OutcomeStatus.CONFLICT: "garder",
    OutcomeStatus.REJECTED: "garder",
    OutcomeStatus.DEFERRED: "garder",
    OutcomeStatus.FAILED: "garder",
}


def action_for(*, status: str, code: str) -> str:
    """Return what a till does with a sale that has this outcome: purger, garder or corriger."""
    return ACTION_BY_CODE.get(code) or ACTION_BY_STATUS[OutcomeStatus(status)]
