"""Runs the whole system on one machine until it is stopped: the common part of `run` and `run_production_like`."""

import argparse
import logging
import os
import shutil
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backend.demo.demonstration import curl_lines, show_demo_batch
from backend.demo.loader import OPERATOR, USERS
from backend.localrun.local_secrets import FolderTaken, kept_secret, sole_user_of
from backend.localrun.processes import ProcessFailed, Service, port_is_free
from backend.localrun.stack import Stack
from backend.localrun.supervisor import StopRequested, Supervisor, stop_signals_raise

# For secrets that people type: long enough against guessing, short enough to copy by hand.
TYPED_SECRET_BYTES = 9
# How many days of sales the demo shop starts with.
DEMO_DAYS = 30


@dataclass
class Base:
    """The database and the broker: the environment that names them, their description, and our own servers."""

    environment: Mapping[str, str]
    description: list[str]
    servers: list[Service] = field(default_factory=list)
    # Laid over the environment for migrations.
    migrations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FlowerLogin:
    port: int
    user: str
    password: str


@dataclass(frozen=True)
class Front:
    """What people and tills reach: the API or the proxy in front of it, and Flower's address, with a slash."""

    service: Service
    flower_url: str = ""


class ServeCommand(BaseCommand):
    """Starts servers and services, shows a demo batch, then supervises them. Its output is in French."""

    # They would check the database and the key, which this command has yet to make.
    requires_system_checks = ()
    title: str
    folder: Path = settings.VAR_DIR.resolve()

    @abstractmethod
    def prepare(self, *, cleanup: ExitStack) -> Base:
        """Start the servers that the services need; register in `cleanup` what must be stopped."""

    @abstractmethod
    def add_services(self, stack: Stack, *, port: int, flower: FlowerLogin | None) -> Front:
        """Add the services, Flower too if there is a login for it, and return what people reach."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="PORT")
        parser.add_argument(
            "--flower-port", type=int, default=int(os.environ.get("FLOWER_PORT", "5555")), help="FLOWER_PORT"
        )

    def handle(self, *, port: int, flower_port: int, **_options: object) -> None:
        for number, name in ((port, "PORT"), (flower_port, "FLOWER_PORT")):
            if not port_is_free(number):
                raise CommandError(
                    f"Le port {number} de 127.0.0.1 est déjà pris. Libérez-le, ou choisissez-en un autre : {name}=…",
                    returncode=2,
                )
        try:
            with stop_signals_raise(), ExitStack() as cleanup:
                cleanup.enter_context(sole_user_of(self.folder))
                self._serve(port=port, flower_port=flower_port, cleanup=cleanup)
        except StopRequested:
            self.say("Tout est arrêté.")
        except FolderTaken:
            raise CommandError(f"Un autre démarrage travaille déjà dans {self.folder}.", returncode=2) from None
        except ProcessFailed as failure:
            raise CommandError(f"Démarrage impossible : {failure}") from failure

    def say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        # A reader behind a pipe should see it now.
        self.stdout.flush()

    def _serve(self, *, port: int, flower_port: int, cleanup: ExitStack) -> None:
        self.say(f"{self.title} : démarrage. Ctrl-C arrête tout.")
        # Kombu would warn at each ping that a unix socket has no host.
        logging.getLogger("kombu.connection").setLevel(logging.ERROR)
        self._tidy_folder()
        base = self.prepare(cleanup=cleanup)
        for line in [*base.description, f"journaux         {self.folder / 'log'}"]:
            self.say(f"  {line}")
        environment = self.environment(base, port=port)
        stack = cleanup.enter_context(Stack(folder=self.folder, environment=environment))
        self.say("Préparation de la base et des données de démonstration…")
        stack.run_once("collect_static")
        stack.migrate(environment=base.migrations)
        password = kept_secret(self.folder / "demo-password", random_bytes=TYPED_SECRET_BYTES)
        token = kept_secret(self.folder / "demo-token")
        self.say(f"Au premier démarrage, des caisses simulées y racontent {DEMO_DAYS} jours de ventes…")
        demo = {"DEMO_PASSWORD": password, "DEMO_TOKEN": token}
        stack.run_once("demo", "--days", str(DEMO_DAYS), environment=demo)
        flower = self._flower_login(stack, port=flower_port)
        front = self.add_services(stack, port=port, flower=flower)
        self._start_services(stack)
        self.say("Un lot de démonstration, envoyé comme par une caisse :")
        url = front.service.url
        show_demo_batch(folder=self.folder, base_url=url, say=lambda sentence: self.say(f"  {sentence}"))
        self._show_addresses(front=front, password=password, flower=flower)
        Supervisor([*base.servers, *stack.services.values()], say=self.say).run()

    def environment(self, base: Base, *, port: int) -> dict[str, str]:
        """Return the environment of every process that we start."""
        return {
            "SECRET_KEY": os.environ.get("SECRET_KEY") or kept_secret(self.folder / "secret-key"),
            "VAR_DIR": str(self.folder),
            "STATIC_ROOT": str(self.folder / "static"),
            "PUBLIC_URL": os.environ.get("PUBLIC_URL") or f"http://127.0.0.1:{port}",
            **base.environment,
        }

    def _tidy_folder(self) -> None:
        """Begin with empty logs; those of the previous start are kept beside them."""
        log, previous = self.folder / "log", self.folder / "log.previous"
        if log.exists():
            shutil.rmtree(previous, ignore_errors=True)
            log.rename(previous)

    def _flower_login(self, stack: Stack, *, port: int) -> FlowerLogin | None:
        if not stack.environment["BROKER_URL"]:
            return None
        user = os.environ.get("FLOWER_USER") or "flower"
        password = os.environ.get("FLOWER_PASSWORD") or kept_secret(
            self.folder / "flower-password", random_bytes=TYPED_SECRET_BYTES
        )
        return FlowerLogin(port=port, user=user, password=password)

    def _start_services(self, stack: Stack) -> None:
        self.say(f"Démarrage de {', '.join(stack.services)}…")
        # Started together: each spends its first seconds importing.
        for service in stack.services.values():
            service.start()
        for service in stack.services.values():
            service.wait_ready()

    def _show_addresses(self, *, front: Front, password: str, flower: FlowerLogin | None) -> None:
        self.say("")
        self.say(f"  pages    {front.service.url}/")
        for username, shop_code, _role in USERS:
            self.say(f"           {username} / {password}  ({shop_code})")
        self.say(f"           {OPERATOR} / {password}  (exploitation : {front.service.url}/exploitation/)")
        if flower:
            self.say(f"  Flower   {front.flower_url}  {flower.user} / {flower.password}")
        else:
            self.say("  Flower   ne tourne pas : il n'a pas de courtier à écouter")
        self.say("")
        self.say("Pour essayer, à coller dans un autre terminal (la vente, puis son sort) :")
        for line in curl_lines(base_url=front.service.url):
            self.say(line)
        self.say("")
        self.say("Prêt.")
