"""The Markdown files of docs/ as pages. An address is looked up among the files, never turned into a path."""

import posixpath
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor

FOLDER = settings.BASE_DIR / "docs"
INDEX = "README"
TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class DocumentationPage:
    # The path below docs/ without the suffix; a folder's README has the folder's name.
    name: str
    title: str
    html: SafeString


def pages() -> list[DocumentationPage]:
    return [_rendered(name, path, path.stat().st_mtime_ns) for name, path in sorted(_files().items())]


def page_named(name: str) -> DocumentationPage | None:
    path = _files().get(name.removesuffix(".md").removesuffix("/"))
    return _rendered(_name(path), path, path.stat().st_mtime_ns) if path else None


def _files() -> dict[str, Path]:
    """Return each page's file by name. An address is only ever looked up here."""
    return {_name(path): path for path in FOLDER.rglob("*.md") if path.is_file()}


def _name(path: Path) -> str:
    relative = path.relative_to(FOLDER).with_suffix("")
    is_folder_index = relative.name == INDEX and relative.parent != Path()
    return (relative.parent if is_folder_index else relative).as_posix()


@lru_cache(maxsize=64)
def _rendered(name: str, path: Path, modified_ns: int) -> DocumentationPage:
    """Render a file, once per version: `modified_ns` is part of the cache's key."""
    source = path.read_text(encoding="utf-8")
    found = TITLE.search(source)
    renderer = Markdown(
        extensions=["fenced_code", "toc", "sane_lists", "tables", LinksBetweenPages(path=path)],
        # Alignment as an attribute: our policy forbids inline styles.
        extension_configs={"tables": {"use_align_attribute": True}},
    )
    # Files of our repository, not input.
    html = mark_safe(renderer.convert(source))  # noqa: S308
    return DocumentationPage(name=name, title=found[1].replace("`", "") if found else name, html=html)


class LinksBetweenPages(Extension):
    """Makes links between files, as `[locking](locking.md#order)`, work on the pages too."""

    def __init__(self, *, path: Path) -> None:
        super().__init__()
        self.path = path

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the package's name
        md.treeprocessors.register(_LinkRewriter(md, path=self.path), "links-between-pages", 5)


class _LinkRewriter(Treeprocessor):
    def __init__(self, md: Markdown, *, path: Path) -> None:
        super().__init__(md)
        self.folder = path.parent.relative_to(FOLDER).as_posix()

    def run(self, root: Element) -> None:
        names = {path.relative_to(FOLDER).as_posix(): name for name, path in _files().items()}
        for link in root.iter("a"):
            target = urlsplit(link.get("href", ""))
            if target.scheme or target.netloc or not target.path:
                continue
            name = names.get(posixpath.normpath(posixpath.join(self.folder, target.path)))
            if name is not None:
                fragment = f"#{target.fragment}" if target.fragment else ""
                link.set("href", reverse("web:documentation_page", kwargs={"name": name}) + fragment)
            elif not target.path.startswith("/"):
                # A file of the repository that is not a page: its name stays, without the link.
                link.tag = "span"
                link.attrib.clear()
        for picture in root.iter("img"):
            # Pictures are shown only in the repository: here each would be as large as the whole page.
            picture.tag, picture.text = "span", picture.get("alt", "")
            picture.attrib.clear()
