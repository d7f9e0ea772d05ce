"""Enrols devices with their codes, for tests of enrolment."""

import json
from typing import Any

from django.db import connections
from django.http import HttpResponse
from django.test import Client

from backend.shops.enrolment import create_enrolment_code
from backend.shops.models import Device, Terminal
from tests.conformity import assert_conforms
from tests.tills import BASE, Till

ENROLMENT = BASE + "terminaux/enrolement"
TOKEN = BASE + "terminaux/jeton"


def code_for(terminal: Terminal, **options: Any) -> str:
    return create_enrolment_code(terminal=terminal, **options).text


def enrol(code: str, serial: str, *, address: str = "127.0.0.1", **fields: Any) -> HttpResponse:
    return enrol_raw(json.dumps({"code": code, "numero_serie": serial, **fields}).encode(), address=address)


def enrol_raw(body: bytes, *, address: str = "127.0.0.1", **headers: str) -> HttpResponse:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Client(REMOTE_ADDR=address).post(ENROLMENT, body, content_type="application/json", headers=sent)
    assert_conforms(answer, method="POST", path=ENROLMENT)
    return answer


def enrolled(code: str, serial: str) -> Till:
    """Enrol a device whose code is right, and return it as a till with its token."""
    answer = enrol(code, serial)
    assert answer.status_code == 201, answer.content
    return Till(Device.objects.get(serial=serial), token=answer.json()["jeton"])


def enrol_in_thread(code: str, serial: str) -> HttpResponse:
    try:
        return enrol(code, serial)
    finally:
        connections.close_all()
