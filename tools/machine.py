"""Where this machine's apt and pip get packages from, for a bare tree that shall get them from there too."""

import ast
import subprocess
import sys
from pathlib import Path

# Where a chroot sees the folders that this machine's pip looks into.
PIP_FOLDERS = "/run/pip-folders"


def apt_settings(suite: str) -> tuple[list[str], str]:
    """Return the lines of a sources.list for this release of Debian, without their `deb`, and apt's proxies."""
    listing = run("apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
    sources = sorted({line for line in listing.splitlines() if line.split()[1].split("-")[0] == suite})
    if not sources:
        raise SystemExit(f"this machine's apt knows no {suite}")
    return sources, run("apt-config", "dump", "Acquire::http::Proxy", "Acquire::https::Proxy")


def pip_settings() -> tuple[dict[str, str], dict[str, str]]:
    """Return this machine's pip settings as variables, and its folders that they name: {folder: its name inside}."""
    settings: dict[str, str] = {}
    listing = run(sys.executable, "-m", "pip", "config", "list")
    # What the environment says goes before what a file says.
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2].upper().replace("-", "_")
        settings[f"PIP_{name}"] = ast.literal_eval(value)
    mounts: dict[str, str] = {}
    for name, value in settings.items():
        words = []
        for word in value.split():
            path = Path(word.removeprefix("file://"))
            if path.is_absolute() and path.exists():
                # A folder that is an index may name files beside itself: the folder above is what must be seen.
                seen = path.parent if word.startswith("file://") else path
                inner = mounts.setdefault(str(seen), str(len(mounts)))
                words.append(word.replace(str(seen), f"{PIP_FOLDERS}/{inner}", 1))
            else:
                words.append(word)
        settings[name] = " ".join(words)
    return settings, mounts


def run(*command: object) -> str:
    """Return what a command printed. Raises SystemExit with the end of it if it failed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-40:])
        raise SystemExit(f"failed with {done.returncode}: {words[0]} …\n{tail}")
    return done.stdout
