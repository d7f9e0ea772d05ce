"""Runs the checks one after the other; with --fix, repairs what they found and checks again."""

import contextlib
import getpass
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog
from django.db import connection, transaction

from backend.db.database_url import SESSION_WAIT_TIMEOUT_S
from backend.db.dialect import is_sqlite
from backend.db.transients import bounded_time, is_disconnection, retrying
from backend.doctor.catalogue import CHECKS
from backend.doctor.registry import FINDINGS_MAX, Check, Finding, Scope
from backend.doctor.wording import sentence

log = structlog.get_logger("caisse.doctor")

# How many repairs are held in memory; the next pass finds the others.
REPAIRS_AT_ONCE = 1000
# Sums over years of sales take longer than a till would wait; the doctor's waiting blocks no other process.
LOOK_READ_TIMEOUT_S = 600
LOOK_WAIT_TIMEOUT_S = 600


@dataclass
class Seen:
    """What one pass of a check found: the first findings, and how many there are."""

    findings: list[Finding] = field(default_factory=list)
    finding_count: int = 0
    note_count: int = 0
    repairable: list[Finding] = field(default_factory=list)
    repairable_count: int = 0

    @property
    def rest_count(self) -> int:
        """How many findings and notes there are beyond those that are kept."""
        return self.finding_count + self.note_count - len(self.findings)

    def add(self, finding: Finding) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)
        if finding.is_note:
            self.note_count += 1
        else:
            self.finding_count += 1
        if finding.repair is not None:
            self.repairable_count += 1
            if len(self.repairable) < REPAIRS_AT_ONCE:
                self.repairable.append(finding)


@dataclass
class Result:
    """One check, its findings (after the repairs, if any), and the repairs that worked or failed."""

    check: Check
    seen: Seen
    repaired_count: int = 0
    # The first of them, as the sentences of their findings.
    repaired: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def note_repair(self, finding: Finding, *, trouble: str) -> None:
        self.repaired_count += not trouble
        sentences = self.failed if trouble else self.repaired
        if len(sentences) < FINDINGS_MAX:
            sentences.append(f"{sentence(finding.found)} {trouble}".rstrip())


def examine(*, scope: Scope, fix: bool) -> Iterator[Result]:
    """Yield the result of each check as it ends. Nothing is changed unless `fix`."""
    with patient_session():
        for check in checks_for(scope):
            yield examine_one(check, scope, fix=fix)


def checks_for(scope: Scope) -> list[Check]:
    """Return the checks for this scope, in the order of the promises; those without a promise come last."""
    is_narrow = scope.shop is not None or scope.terminal is not None
    chosen = [check for check in CHECKS if not (is_narrow and check.is_global)]
    return sorted(chosen, key=lambda check: int(check.promise.removeprefix("P") or 99))


@contextlib.contextmanager
def patient_session() -> Iterator[None]:
    """Let this process's session wait long for an answer, and idle for long: a check holds no lock."""
    if is_sqlite(connection) or connection.in_atomic_block:
        yield
        return
    options = connection.settings_dict["OPTIONS"]
    usual = options.get("read_timeout")
    connection.close()
    options["read_timeout"] = LOOK_READ_TIMEOUT_S
    try:
        _allow_idle(LOOK_WAIT_TIMEOUT_S)
        yield
    finally:
        options["read_timeout"] = usual
        connection.close()


def _allow_idle(seconds: int) -> None:
    if not is_sqlite(connection):
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION wait_timeout = %s", [seconds])


def examine_one(check: Check, scope: Scope, *, fix: bool) -> Result:
    """Run the check; with `fix`, repair what can be repaired and run it again."""
    result = Result(check, _look(check, scope))
    while fix and result.seen.repairable:
        before = result.seen.repairable_count
        for finding in result.seen.repairable:
            result.note_repair(finding, trouble=_repair(check, finding))
        result.seen = _look(check, scope)
        # A pass that reduced nothing is the last. What it could not repair stays among the findings.
        if result.seen.repairable_count >= before:
            break
    return result


def _look(check: Check, scope: Scope) -> Seen:
    """Run the check. If it breaks, report that as a finding, so that the other checks still run."""
    seen = Seen()
    try:
        for finding in check.look(scope):
            seen.add(finding)
    except Exception as error:
        log.exception("check_broke", check=check.name)
        if is_disconnection(error):
            connection.close()
        seen.add(
            Finding(
                found=f"Le contrôle n'a pas pu aller au bout : {type(error).__name__} {error}",
                means="On ne sait pas si ce qu'il garde est en ordre.",
            )
        )
    return seen


def _repair(check: Check, finding: Finding) -> str:
    """Carry out a repair and log it; return what went wrong, "" if nothing did."""
    repair = finding.repair
    assert repair is not None, "only findings with a repair are kept in `repairable`"
    who = {"check": check.name, "found": finding.found, "by": _operator()}
    try:
        # A repair takes locks: if it freezes, the server must cut it as soon as any other session.
        _allow_idle(SESSION_WAIT_TIMEOUT_S)
        if repair.is_transactional:
            changed = retrying(lambda: _in_transaction(repair.act), name="doctor")
        else:
            changed = repair.act()
    except Exception as error:
        log.exception("repair_failed", **who)
        if is_disconnection(error):
            connection.close()
        return f"({type(error).__name__} {error})"
    finally:
        with contextlib.suppress(Exception):
            _allow_idle(LOOK_WAIT_TIMEOUT_S)
    log.warning("repaired", **who, did=repair.sentence, **(changed or {}))
    return ""


def _in_transaction(act) -> dict[str, object] | None:
    with transaction.atomic(durable=True), bounded_time():
        return act()


def _operator() -> str:
    """Return the name of the machine's user who runs the repair."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user often has no name
        name = f"uid {os.getuid()}"
    return f"{name}@{platform.node()}"
