"""Asks pip-audit whether a pinned package has a known vulnerability: `tools/audit.py FILE`.

Ends with 1 if one is known. A machine that cannot reach the list of vulnerabilities must still pass: then it says
what nobody looked up, and ends with 0. Ends with 2 if pip-audit cannot read the file.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

# How pip-audit ends when it cannot reach its service; some of its errors end in a traceback.
UNREACHABLE = re.compile(r"^requests\.exceptions\.|ServiceError|'s vulnerability feed|not redirecting", re.MULTILINE)


def audit(file: str) -> tuple[int, list[str]]:
    """Return the exit code and what to print."""
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--desc", "off"]
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", file]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if not done.stdout.strip():
        if UNREACHABLE.search(done.stderr):
            return 0, ["audit: COULD NOT LOOK, the list of vulnerabilities cannot be reached:", last(done.stderr)]
        return 2, [done.stderr]
    packages = json.loads(done.stdout)["dependencies"]
    found = list(vulnerabilities(packages))
    unknown = sorted({package["name"] for package in packages if "skip_reason" in package})
    said = [f"audit: {line}" for line in found]
    if unknown:
        said.append(f"audit: COULD NOT LOOK UP {len(unknown)} of {len(packages)} packages: {', '.join(unknown)}")
    if not found and len(unknown) < len(packages):
        said.append(f"audit: nothing is known against {len(packages) - len(unknown)} packages")
    return (1 if found else 0), said


def vulnerabilities(packages: list[dict]) -> Iterator[str]:
    for package in packages:
        for vulnerability in package.get("vulns", ()):
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            yield f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {fixed}"


def last(text: str) -> str:
    return text.strip().splitlines()[-1]


if __name__ == "__main__":
    code, lines = audit(sys.argv[1])
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(code)
