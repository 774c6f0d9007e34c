"""The pages of docs/: all of them in the menu, and every relative link leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / 'docs'
PAGES = sorted([*ROOT.glob('*.md'), *DOCS.rglob('*.md')])
FENCE = re.compile(r'^ *```.*?^ *```', re.MULTILINE | re.DOTALL)
LINK = re.compile(r'\]\(([^)\s]+)\)')


def without_code(text: str) -> str:
    return re.sub(r'`[^`\n]*`', '', FENCE.sub('', text))


def anchors(text: str) -> set[str]:
    """Return the anchors of all headings, as GitHub and `make docs` make them."""
    headings = re.findall(r'^#+ (.+)$', FENCE.sub('', text), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', line.strip().lower()).replace(' ', '-') for line in headings}


def broken_links(page: Path, text: str) -> Iterator[str]:
    for link in LINK.findall(without_code(text)):
        if re.match(r'[a-z]+:', link):
            continue
        name, _, anchor = link.partition('#')
        target = (page.parent / name).resolve() if name else page
        inside = DOCS if DOCS in page.parents else ROOT
        if not target.is_file() or inside not in target.parents:
            yield f'{link}: no such file in {inside.name}'
        elif anchor and anchor not in anchors(text if target == page else target.read_text()):
            yield f'{link}: no such heading'


def menu() -> list[str]:
    """Return the pages that the menu of mkdocs.yml names."""
    _, found, nav = (ROOT / 'mkdocs.yml').read_text().partition('\nnav:\n')
    assert found
    return re.findall(r'^ +- [^:]+: (\S+\.md)$', nav, re.MULTILINE)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page, page.read_text())) == []


def test_the_menu_names_every_page_once() -> None:
    assert sorted(menu()) == sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob('*.md'))


def test_readme_fits_on_a_few_screens_and_shows_a_picture() -> None:
    text = (ROOT / 'README.md').read_text()
    assert len(text.splitlines()) <= 130
    (picture,) = re.findall(r'!\[[^]]+\]\((\S+)\)', text)
    assert 20_000 < (ROOT / picture).stat().st_size < 300_000


@pytest.mark.parametrize(
    ('text', 'broken'),
    [
        ('[a](alignment.md#sources)', False),
        ('# Own heading\n[a](#own-heading)', False),
        ('`[a](nothing.md)`', False),
        ('```\n# comment [a](nothing.md)\n```', False),
        ('[a](https://example.org/x.md)', False),
        ('[a](nothing.md)', True),
        ('[a](alignment.md#no-such-heading)', True),
        ('[a](#sources)', True),
        ('[a](../README.md)', True),
    ],
)
def test_rule_of_links(text: str, broken: bool) -> None:
    """A page of the site cannot link to what is not on the site."""
    assert bool(list(broken_links(DOCS / 'depth.md', text))) is broken
