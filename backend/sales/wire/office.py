"""What the shop's own pages say beside a document, and no till may: whose drawer its money moves in. Pure."""

import msgspec

from backend.sales.errors import FieldInvalid, Reason
from backend.sales.wire.structs import Identifier, path_of


class OfficeDrawer(msgspec.Struct, frozen=True):
    """A till's drawer, of one cashier if `caissier` names one; or, for a correction, the drawers of the sale itself."""

    caisse: Identifier | None = None
    caissier: str = ""
    origine: bool = False


class _Beside(msgspec.Struct, frozen=True):
    tiroir: OfficeDrawer | None = None


_read = msgspec.json.Decoder(_Beside)


def read_office_drawer(raw: bytes) -> OfficeDrawer | None:
    """Return the drawer that a page chose; None for its own. Raises FieldInvalid."""
    try:
        return _read.decode(raw).tiroir
    except msgspec.ValidationError as error:
        raise FieldInvalid(path_of(error), Reason.UNEXPECTED()) from error
