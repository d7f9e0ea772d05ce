"""The forms of a page as a browser would send them: the page's values, and what is typed over them."""

from html.parser import HTMLParser

from django.http import HttpResponse


def form_of(page: HttpResponse, action: str, /, **typed: str) -> dict[str, str]:
    """Return what the page's form with this `action` sends after `typed` is filled in; None unticks a box."""
    reader = _FormReader(action)
    reader.feed(page.content.decode())
    assert reader.fields, f"no form goes to {action}"
    assert typed.keys() <= reader.names, f"no field {typed.keys() - reader.names}"
    filled = {**reader.fields, **typed}
    return {name: value for name, value in filled.items() if value is not None}


class _FormReader(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action, self.is_inside, self.select = action, False, ""
        self.fields: dict[str, str] = {}
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.is_inside = given.get("action") == self.action
        name = given.get("name")
        if not self.is_inside:
            return
        if tag in ("input", "select", "textarea") and name:
            self.names.add(name)
        if tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.fields[name] = given.get("value") or ("on" if given.get("type") == "checkbox" else "")
        if tag == "select":
            self.select = name or ""
        if tag == "option" and self.select and (self.select not in self.fields or "selected" in given):
            self.fields[self.select] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
