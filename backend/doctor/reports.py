"""The doctor's reports, as text for people and as JSON for scripts. The JSON's keys must never change."""

from collections.abc import Iterable, Iterator

from backend.doctor.registry import Finding, Scope
from backend.doctor.runner import Result
from backend.doctor.trace_device import Trace
from backend.doctor.wording import count, sentence

INDENT = "     "


def text_of_trace(trace: Trace) -> Iterator[str]:
    yield f"Appareil {trace.serial}"
    for number, step in enumerate(trace.steps, start=1):
        yield ""
        yield f"{number}. {step.title}{' : à regarder' if step.is_fault else ''}"
        for one in step.sentences:
            yield f"{INDENT}{one}"
    yield ""
    yield f"Conclusion : {trace.conclusion}"
    yield ""


def text_of_result(result: Result, *, fix: bool) -> Iterator[str]:
    """Yield the lines of one check; there is one even if nothing was found."""
    seen, check = result.seen, result.check
    yield f"[{check.promise or '—':>3}] {check.title} ({check.name}) : {_verdict(result)}"
    for one in result.repaired:
        yield f"{INDENT}réparé : {one}"
    for one in result.failed:
        yield f"{INDENT}pas réparé : {one}"
    for finding in seen.findings:
        yield f"   {'·' if finding.is_note else '!'} {sentence(finding.found)}"
        yield f"{INDENT}{finding.means}"
        if finding.repair is not None and not fix:
            yield f"{INDENT}--fix : {finding.repair.sentence}"
    if seen.rest_count:
        yield f"{INDENT}… et {seen.rest_count} de plus."


def _verdict(result: Result) -> str:
    seen = result.seen
    parts = [count(seen.finding_count, "constat")] if seen.finding_count else []
    parts += [count(seen.note_count, "remarque")] if seen.note_count else []
    parts += [count(result.repaired_count, "réparation")] if result.repaired_count else []
    return ", ".join(parts) or "rien à signaler"


def text_of_sum(results: Iterable[Result]) -> str:
    results = list(results)
    findings = sum(result.seen.finding_count for result in results)
    notes = sum(result.seen.note_count for result in results)
    repairs = sum(result.repaired_count for result in results)
    parts = [count(len(results), "contrôle"), count(findings, "constat"), count(notes, "remarque")]
    if repairs:
        parts.append(count(repairs, "réparation"))
    return f"{', '.join(parts)}."


def json_of_scope(scope: Scope, *, serial: str | None) -> dict[str, object]:
    return {"shop": scope.shop.code if scope.shop else None, "terminal": serial}


def json_of_trace(trace: Trace) -> dict[str, object]:
    return {
        "serial": trace.serial,
        "conclusion": trace.conclusion,
        "is_fault": trace.is_fault,
        "steps": [
            {"title": step.title, "is_fault": step.is_fault, "sentences": step.sentences} for step in trace.steps
        ],
    }


def json_of_result(result: Result) -> dict[str, object]:
    """`findings` has only the first; `finding_count` and `note_count` count all."""
    seen, check = result.seen, result.check
    return {
        "name": check.name,
        "promise": check.promise,
        "title": check.title,
        "cost": check.cost,
        "finding_count": seen.finding_count,
        "note_count": seen.note_count,
        "repaired_count": result.repaired_count,
        "repaired": result.repaired,
        "failed": result.failed,
        "findings": [_json_of_finding(finding) for finding in seen.findings],
    }


def _json_of_finding(finding: Finding) -> dict[str, object]:
    return {
        "found": sentence(finding.found),
        "means": finding.means,
        "fix": finding.repair.sentence if finding.repair else None,
        "is_note": finding.is_note,
    }
