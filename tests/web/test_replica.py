"""Pages are read from the replica if there is one, except for changes and for a person who just changed something."""

import re
from collections.abc import Iterator
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest
from django.db import connection

from backend.db.replica import FRESH_COOKIE
from backend.inventory.models import Article
from backend.localrun.stack import Stack
from backend.testing import PASSWORD, Cast
from tests.plugin import Rig

READER = "copy_reader"


@pytest.fixture
def copy_url(real_database: None, rig: Rig) -> Iterator[str]:
    """The test database under another name, with a read-only account, so that a misrouted change is refused."""
    if connection.vendor != "mysql":
        pytest.skip("SQLite has neither copies nor accounts")
    address = urlsplit(rig.database_url)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP USER IF EXISTS {READER}@'%%'", [])
        cursor.execute(f"CREATE USER {READER}@'%%' IDENTIFIED BY 'read-only'", [])
        cursor.execute(f"GRANT SELECT ON `{address.path[1:]}`.* TO {READER}@'%%'", [])
    yield address._replace(netloc=f"{READER}:read-only@{address.hostname}:{address.port}").geturl()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP USER {READER}@'%%'", [])


class Person:
    """A person's browser, with its cookies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.jar = CookieJar()
        self.opener: OpenerDirector = build_opener(HTTPCookieProcessor(self.jar))

    def look(self, path: str) -> str:
        return self.opener.open(f"{self.url}{path}", timeout=10).read().decode()

    def send(self, path: str, page: str, **form: str) -> None:
        key = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.look(page)).group(1)
        self.opener.open(f"{self.url}{path}", urlencode({"csrfmiddlewaretoken": key, **form}).encode(), timeout=10)

    def wait_a_while(self) -> None:
        """Drop the cookie, as if it had expired."""
        (cookie,) = (cookie for cookie in self.jar if cookie.name == FRESH_COOKIE)
        self.jar.clear(cookie.domain, cookie.path, cookie.name)


def take_the_copy_away() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER USER {READER}@'%%' ACCOUNT LOCK", [])
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", [READER])
        for (session,) in cursor.fetchall():
            cursor.execute(f"KILL {session}")


def test_reads_use_the_replica_and_changes_the_primary(stack: Stack, copy_url: str) -> None:
    cast = Cast()
    stack.environment["REPLICA_DATABASE_URL"] = copy_url
    person = Person(stack.add_api().start_ready().url)
    person.send("/connexion/", "/connexion/", username="alice", password=PASSWORD)
    article = f"/commercant/stock/{cast.rice.pk}/"

    person.wait_a_while()
    assert cast.rice.name in person.look(article)
    person.send(f"{article}modifier/", article, nom="Riz parfumé", code=cast.rice.code,
                unite_base=str(cast.rice.base_unit_id), actif="on")  # fmt: skip
    assert Article.objects.get(pk=cast.rice.pk).name == "Riz parfumé"

    take_the_copy_away()
    # A person who has just changed something does not need the replica.
    assert "Riz parfumé" in person.look(article)
    # The other person did.
    person.wait_a_while()
    with pytest.raises(HTTPError, match="500"):
        person.look(article)
