"""Calls by which a device enrols under a till and renews its token."""

from typing import Annotated

import msgspec
from msgspec import Meta
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.answers.tills import Inscription, Jeton
from backend.api.authentication import HasProvenItself, device_of
from backend.api.bodies import decode_json_body
from backend.api.callers import APP_VERSION_LENGTH_MAX, name_caller
from backend.api.openapi.tills import describe_enrolment, describe_token
from backend.api.problems import Problem
from backend.api.throttles import EnrolmentThrottle
from backend.observability.request_context import address_of
from backend.sales.receipts import receipt
from backend.sales.receipts.resume_point import resume_point_of
from backend.sentences import FRENCH
from backend.shops.devices import SERIAL_LENGTH_MAX, issue_token
from backend.shops.enrolment import Applicant, enrol_device
from backend.shops.errors import EnrolmentRefused, SerialInvalid, TooManyGuesses
from backend.shops.terminals import shop_of

MODEL_LENGTH_MAX = 64
# Wrong codes are forgotten within the hour, so a retry a minute later may succeed.
GUESSER_RETRY_S = 60


class EnrolmentBody(msgspec.Struct):
    code: Annotated[
        str,
        Meta(description="Comme il a été tapé : minuscules, espaces et tirets ne comptent pas", examples=["K7Q49XTD"]),
    ]
    numero_serie: Annotated[
        str,
        Meta(
            description="Celui que l'appareil enverra dans X-Device-Serial",
            examples=["0a1badae951f8473"],
            extra_json_schema={"minLength": 1, "maxLength": SERIAL_LENGTH_MAX},
        ),
    ]
    version: Annotated[str, Meta(examples=["3.2.1"])] | None = None
    modele: Annotated[str, Meta(examples=["Sunmi V2"])] | None = None

    def applicant(self, address: str | None) -> Applicant:
        return Applicant(
            serial=self.numero_serie.strip(),
            app_version=_printable(self.version, APP_VERSION_LENGTH_MAX),
            model=_printable(self.modele, MODEL_LENGTH_MAX),
            address=address,
        )


def _printable(text: str | None, length_max: int) -> str:
    """Return the text, cut; an empty string if it is not printable, which is no reason to refuse the device."""
    text = (text or "").strip()[:length_max]
    return text if text.isprintable() else ""


class EnrolmentView(APIView):
    """Enrols a device under a till by a one-time code."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = (EnrolmentThrottle,)

    @describe_enrolment(body=EnrolmentBody)
    def post(self, request: Request) -> Response:
        body = decode_json_body(request, EnrolmentBody, expected='{"code": "…", "numero_serie": "…"}')
        applicant = body.applicant(address_of(request))
        name_caller(request, applicant.serial)
        try:
            enrolled = enrol_device(code=body.code, applicant=applicant)
        except SerialInvalid as refusal:
            raise Problem("parametre_invalide", f"numero_serie : {refusal.sentence.say(FRENCH)}") from refusal
        except TooManyGuesses as refusal:
            raise Problem(refusal.code, refusal.sentence.say(FRENCH), retry_after_s=GUESSER_RETRY_S) from refusal
        except EnrolmentRefused as refusal:
            raise Problem(refusal.code) from refusal
        device = enrolled.device
        resume_point = resume_point_of(device.terminal_id)
        return _secret(
            Inscription(
                jeton=enrolled.token,
                terminal=receipt.describe_terminal(device.terminal, device),
                boutique=receipt.describe_shop(shop_of(device.terminal)),
                sequence=resume_point.sequence,
                dernier_numero=resume_point.last_number,
                mode_reponse=device.answer_mode,
            )
        )


class TokenView(APIView):
    """A new token for a device that called with its present token."""

    permission_classes = (HasProvenItself,)

    @describe_token
    def post(self, request: Request) -> Response:
        device = device_of(request)
        return _secret(Jeton(jeton=issue_token(device)))


def _secret(body: Inscription | Jeton) -> Response:
    response = Response(body, status=201)
    response["Cache-Control"] = "no-store"
    return response
