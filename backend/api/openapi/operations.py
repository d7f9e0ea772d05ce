"""The description of a call: its parameters, body, answers and refusals."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from msgspec import Meta

from backend.api.openapi.schemas import Schema, ref, schema_of
from backend.api.problems import CONTENT_TYPE, PROBLEMS
from backend.sales.wire.vocabulary import one_of

JSON = "application/json"
View = TypeVar("View", bound=Callable[..., object])

# The refusals of any call, and those of a call that only a known device may make.
OF_ANYBODY = ("format_non_disponible", "trop_de_requetes", "indisponible")
OF_EVERY_CALL = (
    "header_manquant",
    "terminal_sans_boutique",
    "jeton_manquant",
    "jeton_invalide",
    "terminal_desactive",
    "terminal_inconnu",
    *OF_ANYBODY,
)
OF_EVERY_BODY = ("json_invalide", "gzip_invalide", "lot_trop_grand", "type_non_supporte")

# Old devices, in mode `serial`, send only their serial, and under an older header name.
SECURITY_SCHEMES = {
    "serie": {"type": "apiKey", "in": "header", "name": "X-Device-Serial"},
    "serie_ancienne": {"type": "apiKey", "in": "header", "name": "Device-Serial"},
    "jeton": {"type": "http", "scheme": "bearer"},
}
Security = tuple[tuple[str, ...], ...]
BY_TOKEN: Security = (("serie", "jeton"), ("serie_ancienne", "jeton"))
BY_ANY: Security = (*BY_TOKEN, ("serie",), ("serie_ancienne",))


@dataclass(frozen=True)
class Parameter:
    place: str
    name: str
    kind: object
    description: str
    is_required: bool = False

    def describe(self) -> Schema:
        described = {
            "in": self.place,
            "name": self.name,
            "schema": schema_of(self.kind),
            "description": self.description,
        }
        return described | ({"required": True} if self.is_required else {})


@dataclass(frozen=True)
class AnsweredHeader:
    """A header that answers with these statuses carry."""

    name: str
    kind: object
    description: str
    statuses: tuple[int, ...]
    is_required: bool = True

    def describe(self) -> Schema:
        described = {"schema": schema_of(self.kind), "description": self.description}
        return described | ({"required": True} if self.is_required else {})


@dataclass(frozen=True)
class Answered:
    description: str
    # None for an answer without a body.
    struct: type | None = None


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The description of one call. It decorates the view method that answers; the document finds it there."""

    name: str
    tag: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    headers: tuple[AnsweredHeader, ...] = ()
    # The Struct that reads the body, or the name of a schema; None without a body.
    body: type | str | None = None
    body_description: str = ""
    answers: Mapping[int, Answered]
    problems: tuple[str, ...] = ()
    always: tuple[str, ...] = OF_EVERY_CALL
    security: Security = field(default=BY_ANY)

    def __call__(self, method: View) -> View:
        method.operation = self  # type: ignore[attr-defined]  # mypy knows no attributes of functions
        return method

    def problems_by_status(self) -> dict[int, list[str]]:
        by_status: dict[int, list[str]] = defaultdict(list)
        for code in (*self.always, *self.problems):
            by_status[PROBLEMS[code][0]].append(code)
        return dict(sorted(by_status.items()))

    def describe(self, *, names: Mapping[str, str], problem: Schema) -> Schema:
        """Return the OpenAPI operation. names: of Structs in the document; problem: the schema of any refusal."""
        described: Schema = {"operationId": self.name, "summary": self.summary, "tags": [self.tag]}
        if self.description:
            described["description"] = self.description
        described["parameters"] = [parameter.describe() for parameter in (*EVERY_CALL, *self.parameters)]
        if self.security:
            described["security"] = [{name: [] for name in scheme} for scheme in self.security]
        if self.body is not None:
            name = self.body if isinstance(self.body, str) else names[self.body.__name__]
            schema = ref(name) | ({"description": self.body_description} if self.body_description else {})
            described["requestBody"] = {"content": {JSON: {"schema": schema}}}
        described["responses"] = {str(status): answer for status, answer in self._responses(problem)}
        return described

    def _responses(self, problem: Schema) -> Iterator[tuple[int, Schema]]:
        for status, answer in self.answers.items():
            content = {"content": {JSON: {"schema": ref(answer.struct.__name__)}}} if answer.struct else {}
            yield status, {"description": answer.description, **self._headers(status), **content}
        for status, codes in self.problems_by_status().items():
            content = {"content": {CONTENT_TYPE: {"schema": narrow_problem(problem, status, codes)}}}
            description = " · ".join(PROBLEMS[code][2] for code in codes)
            yield status, {"description": description, **self._headers(status), **content}

    def _headers(self, status: int) -> Schema:
        headers = [header for header in (*ANSWERED_ALWAYS, *self.headers) if status in header.statuses]
        return {"headers": {header.name: header.describe() for header in headers}} if headers else {}


def narrow_problem(problem: Schema, status: int, codes: list[str]) -> Schema:
    """Return the schema of a refusal with this status and one of these codes."""
    fields = problem["properties"]
    narrowed = {
        "type": fields["type"] | {"enum": [f"/docs/erreurs#{code}" for code in codes]},
        "title": fields["title"] | {"enum": list(dict.fromkeys(PROBLEMS[code][1] for code in codes))},
        "status": fields["status"] | {"enum": [status]},
        "code": fields["code"] | {"enum": codes},
    }
    present = {name: schema for name, schema in fields.items() if name != "limites" or "lot_trop_grand" in codes}
    return problem | {"properties": present | narrowed, "required": list(present)}


def sent_header(name: str, kind: object, description: str) -> Parameter:
    return Parameter("header", name, kind, description)


def query(name: str, kind: object, description: str, *, is_required: bool = False) -> Parameter:
    return Parameter("query", name, kind, description, is_required)


Flag = Annotated[str, one_of("0", "1")]
RetryAfter = Annotated[int, Meta(ge=1)]
EntityTag = Annotated[str, Meta(pattern=r'^(W/)?"[0-9]+-[0-9]+-[0-9]+"$')]

EVERY_CALL = (
    sent_header("X-App-Version", str, "La version de l'application de la caisse ; 32 caractères sont gardés"),
    sent_header("X-Request-Id", str, "Suit l'appel dans les journaux : 8 à 64 caractères parmi A-Z a-z 0-9 . _ -"),
)
ANSWERED_ALWAYS = (
    AnsweredHeader(
        "X-Request-Id",
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{8,64}$")],
        "Celui de l'appel, ou un nouveau",
        (200, 201, 202, 304, *(status for status, *_ in PROBLEMS.values())),
    ),
    AnsweredHeader("WWW-Authenticate", str, "Bearer", (401,)),
    AnsweredHeader("Retry-After", RetryAfter, "Secondes à attendre", (429, 503)),
)
CONTENT_ENCODING = sent_header(
    "Content-Encoding", Annotated[str, one_of("identity", "gzip")], "Un seul membre gzip, borné une fois lu"
)
PREFER = sent_header("Prefer", str, "wait=N : attendre N secondes (au plus 10) que le lot soit traité")
