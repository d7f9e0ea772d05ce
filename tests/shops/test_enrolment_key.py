"""A command beside a running server uses the server's secret key, with which the API recognises enrolment codes."""

import os
import subprocess
import sys
from pathlib import Path

SHOW = "from django.conf import settings; print(settings.SECRET_KEY_IS_KEPT, settings.SECRET_KEY)"


def key_with(**environment: str) -> list[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "ROLE")}
    environment = inherited | {"DJANGO_SETTINGS_MODULE": "backend.config.settings"} | environment
    shown = subprocess.run([sys.executable, "-c", SHOW], env=environment, capture_output=True, text=True, check=True)
    return shown.stdout.split()


def test_the_key_is_the_given_one_or_the_one_stored_by_a_local_start(tmp_path: Path) -> None:
    assert key_with(VAR_DIR=str(tmp_path))[0] == "False"
    (tmp_path / "secret-key").write_text("kept-here\n")
    assert key_with(VAR_DIR=str(tmp_path)) == ["True", "kept-here"]
    assert key_with(VAR_DIR=str(tmp_path), SECRET_KEY="given") == ["True", "given"]
