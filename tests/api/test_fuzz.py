"""Thousands of calls generated from the OpenAPI document: no server error, and no answer that is not described."""

import ipaddress
import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backend.localrun.stack import Stack
from backend.sales.models import Batch, SaleOutcome
from backend.shops.enrolment import create_enrolment_code
from backend.testing import Cast, make_device, make_terminal
from tests.conformity import document
from tests.invariants import check_invariants
from tests.plugin import Rig
from tests.tills import Till, line, sale

EXAMPLES_MAX = 80
OPERATIONS = [(path, method) for path, calls in document()["paths"].items() for method in calls]
# A call that is generated wrong on purpose may be accepted: a malformed sale is refused alone, not its batch.
CHECKED = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
Case = schemathesis.Case
_addresses = itertools.count(int(ipaddress.IPv4Address("10.0.0.1")))


@pytest.fixture
def cast(real_database: None) -> Cast:
    return Cast()


@pytest.fixture(scope="module")
def server(django_db_setup: None, rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One API process for all generated calls; the database's content changes from test to test."""
    environment = {
        "DATABASE_URL": rig.database_url,
        "BROKER_URL": "",
        "DEVICE_REQUESTS_PER_MINUTE": "1000000",
        "ENROLMENTS_PER_MINUTE": "1000000",
        # An address that guesses codes is soon refused, so every call here has an address of its own.
        "TRUSTED_PROXIES": "1",
    }
    with Stack(folder=tmp_path_factory.mktemp("stack"), environment=environment) as stack:
        yield stack.add_api().start_ready().url


@pytest.fixture
def tills(cast: Cast) -> list[Till]:
    """Enough tills that none reaches the limit of waiting batches for long; each has a receipt."""
    return [Till(make_device(make_terminal(cast.shop))) for _ in range(2 * EXAMPLES_MAX // 15)]


@pytest.fixture
def calls(server: str) -> Any:
    schema = schemathesis.openapi.from_dict(document())
    schema.config.update(base_url=server)
    return schema


@dataclass(frozen=True)
class Secrets:
    """Values that no generator can guess: a receipt, an enrolment code, a device with its token."""

    receipt: str
    code: str
    proven: Till


def complete(case: Case, till: Till, secrets: Secrets, *, is_ours: bool) -> None:
    """Add to a generated call the device that calls, and now and then something that exists."""
    case.headers["X-Device-Serial"] = till.device.serial
    case.headers["X-Forwarded-For"] = str(ipaddress.IPv4Address(next(_addresses)))
    if is_ours and case.path.endswith("/jeton"):
        case.headers.update(secrets.proven.headers)
    if is_ours and case.path.endswith("/enrolement"):
        case.body = {"code": secrets.code, "numero_serie": "neuf-1"}
    # Waiting is tested elsewhere; here it would only cost time.
    if re.search("wait=", case.headers.get("Prefer", "")):
        del case.headers["Prefer"]
    if is_ours and "recu" in (case.path_parameters or {}):
        case.path_parameters["recu"] = secrets.receipt


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_no_generated_call_causes_a_server_error(
    calls: Any, cast: Cast, tills: list[Till], operation: tuple[str, str], mode: GenerationMode
) -> None:
    receipt = tills[0].hand_over(sale("A", line(cast.rice)), sale("B", line(cast.rice, quantity=500)))
    code = create_enrolment_code(terminal=make_terminal(cast.shop))
    secrets = Secrets(receipt, code.text, Till(cast.token_device, token=cast.token))
    path, method = operation
    turns = itertools.cycle(tills)
    ours = itertools.cycle([True, False])
    seen: Counter[int] = Counter()

    @settings(
        max_examples=EXAMPLES_MAX,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=calls[path][method].as_strategy(generation_mode=mode))
    def call(case: Case) -> None:
        is_ours = next(ours)
        complete(case, tills[0] if is_ours and "{recu}" in path else next(turns), secrets, is_ours=is_ours)
        if is_ours and mode is GenerationMode.NEGATIVE and path.endswith("/rapprochement"):
            # The body is so strict that no wrong one is valid by chance.
            case.body = {"jour": "2024-11-04", "totaux": []}
        answer = case.call()
        case.validate_response(answer, checks=CHECKED)
        seen[answer.status_code] += 1

    call()

    assert max(seen) < 500
    # Both kinds reach the code of the call, not only its authentication.
    assert min(seen) < 300
    for till in tills:
        till.post_all()
    check_invariants()
    # It may be refused, but never with a server error.
    assert not SaleOutcome.objects.filter(status="failed").exists()
    for batch in Batch.objects.all():
        read_receipt(tills, batch)


def read_receipt(tills: list[Till], batch: Batch) -> None:
    [till] = [till for till in tills if till.device.terminal_id == batch.terminal_id]
    assert till.receipt(str(batch.receipt))["statut"] == "traite"
