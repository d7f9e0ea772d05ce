"""Refusals on the wire: `application/problem+json` with a stable code and a French sentence."""

from typing import Annotated, Any

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from msgspec import UNSET, Meta, UnsetType
from rest_framework import exceptions
from rest_framework.response import Response

from backend.api.answers.limits import LIMITS, Limites
from backend.api.callers import serial_of
from backend.api.refused_calls import note_refused_call
from backend.api.renderers import JSONRenderer
from backend.observability.request_log import note
from backend.sales.errors import (
    BatchEmpty,
    BatchRefused,
    BatchTooLarge,
    FieldInvalid,
    KeyReused,
    NotAnArray,
    TooManyWaiting,
    french_of,
)
from backend.sales.receipts.backlog import retry_after_s
from backend.sales.wire.vocabulary import Answer, Url
from backend.sentences import FRENCH
from backend.shops.errors import CodeExpired, CodeUnknown, SerialTaken, TerminalDisabled, TerminalWithoutShop

log = structlog.get_logger("caisse.api")

CONTENT_TYPE = "application/problem+json"
UNAVAILABLE_RETRY_S = 5

# code → status, title, sentence. A code never changes: tills compare it.
PROBLEMS: dict[str, tuple[int, str, str]] = {
    "header_manquant": (400, "Un en-tête manque", "Header X-Device-Serial requis"),
    "json_invalide": (400, "JSON invalide", "JSON invalide"),
    "gzip_invalide": (400, "Compression illisible", "Le corps n'est pas un gzip lisible"),
    "tableau_attendu": (400, "Un tableau est attendu", NotAnArray.template),
    "lot_vide": (400, "Lot vide", BatchEmpty.template),
    "parametre_invalide": (400, "Paramètre invalide", "Paramètre invalide"),
    "terminal_sans_boutique": (400, "Terminal sans boutique", TerminalWithoutShop.template),
    "jeton_manquant": (401, "Jeton manquant", "Un jeton est requis : Authorization: Bearer …"),
    "jeton_invalide": (401, "Jeton invalide", "Ce jeton n'est pas celui de cet appareil"),
    "terminal_desactive": (403, "Terminal désactivé", TerminalDisabled.template),
    "terminal_inconnu": (404, "Terminal inconnu", "Terminal non trouvé"),
    "recu_inconnu": (404, "Reçu inconnu", "Ce reçu n'existe pas pour cette caisse"),
    "code_inconnu": (404, "Code inconnu", CodeUnknown.template),
    "introuvable": (404, "Introuvable", "Cette adresse n'existe pas"),
    "methode_non_permise": (405, "Méthode non permise", "Cette méthode n'est pas permise ici"),
    "format_non_disponible": (406, "Format non disponible", "Seul application/json est disponible"),
    "serie_deja_prise": (409, "Série déjà prise", SerialTaken.template),
    "code_expire": (410, "Code expiré", CodeExpired.template),
    "lot_trop_grand": (413, "Lot trop grand", BatchTooLarge.template),
    "type_non_supporte": (415, "Type non supporté", "Envoyez application/json, au besoin compressé en gzip"),
    "cle_reutilisee": (422, "Clé réutilisée", KeyReused.template),
    "trop_de_lots_en_attente": (429, "Trop de lots en attente", TooManyWaiting.template),
    "trop_de_requetes": (429, "Trop de requêtes", "Trop de requêtes ; réessayez plus tard"),
    "indisponible": (503, "Indisponible", "Le service est indisponible un instant ; réessayez"),
    "enregistrement_en_cours": (
        503,
        "Enregistrement en cours",
        "Le lot est reçu et en cours d'enregistrement ; renvoyez-le tel quel pour en connaître le sort",
    ),
}


class Probleme(Answer, frozen=True):
    """The body of a refusal."""

    type: Url
    title: str
    status: int
    detail: str
    code: str
    error: Annotated[str, Meta(description="La même phrase que detail")]
    limites: Limites | UnsetType = UNSET


class Problem(exceptions.APIException):
    """A refusal, by its code. limites: for the body, where a limit was exceeded; retry_after_s: the Retry-After."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        retry_after_s: int | None = None,
        limites: Limites | UnsetType = UNSET,
    ) -> None:
        self.status_code, self.title, sentence = PROBLEMS[code]
        self.code = code
        self.sentence = detail or sentence
        self.limits = limites
        self.retry_after_s = retry_after_s
        super().__init__(self.sentence, code)

    def as_response(self) -> Response:
        body = Probleme(
            type=f"/docs/erreurs#{self.code}",
            title=self.title,
            status=self.status_code,
            detail=self.sentence,
            code=self.code,
            # The same sentence, in the field that old tills read.
            error=self.sentence,
            limites=self.limits,
        )
        response = Response(body, status=self.status_code, content_type=CONTENT_TYPE)
        if self.retry_after_s is not None:
            response["Retry-After"] = str(self.retry_after_s)
        if self.status_code == 401:
            response["WWW-Authenticate"] = 'Bearer realm="caisse"'
        return response


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Turn an exception of a view into a problem, and record the refused call."""
    problem = _problem_of(error)
    request = context["request"]
    note(request._request, code=problem.code, serial=serial_of(request)[:64] or None)
    if problem.status_code >= 500 and problem is not error:
        log.error("call_failed", code=problem.code, exc_info=error)
    elif problem.status_code < 500:
        note_refused_call(request, status=problem.status_code, code=problem.code, detail=problem.sentence)
    # Also where the view renders a page, or the call failed before content negotiation.
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    response = problem.as_response()
    if isinstance(error, exceptions.MethodNotAllowed):
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


# Exceptions of DRF and Django and their codes here; the first match counts.
CODES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.MethodNotAllowed, "methode_non_permise"),
    (exceptions.NotAcceptable, "format_non_disponible"),
    (exceptions.UnsupportedMediaType, "type_non_supporte"),
    (exceptions.NotFound, "introuvable"),
    (Http404, "introuvable"),
    (exceptions.NotAuthenticated, "jeton_manquant"),
    (exceptions.PermissionDenied, "jeton_manquant"),
    (PermissionDenied, "jeton_manquant"),
    (exceptions.APIException, "parametre_invalide"),
    # Django's own limits, such as the number of parameters in a query.
    (SuspiciousOperation, "parametre_invalide"),
)


def _problem_of(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, BatchRefused):
        return _problem_of_batch(error)
    if isinstance(error, FieldInvalid):
        return Problem("parametre_invalide", french_of(error))
    if isinstance(error, exceptions.Throttled):
        wait_s: float | None = error.wait  # type: ignore[attr-defined]  # DRF sets it; its stub does not know
        return Problem("trop_de_requetes", retry_after_s=max(1, round(wait_s or 1)))
    for kind, code in CODES:
        if isinstance(error, kind):
            return Problem(code)
    # The database is down, or this is a bug: the till keeps its sales and retries, and the log has an error.
    return Problem("indisponible", retry_after_s=UNAVAILABLE_RETRY_S)


def _problem_of_batch(error: BatchRefused) -> Problem:
    if error.code == "lot_trop_grand":
        return Problem(error.code, limites=LIMITS)
    if error.code == "trop_de_lots_en_attente":
        return Problem(error.code, retry_after_s=retry_after_s())
    return Problem(error.code, error.sentence.say(FRENCH))
