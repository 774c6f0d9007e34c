import zipfile
from pathlib import Path

import pytest
from small_library import FURNITURE, VARIANTS, write_library

from training.world.attribution import TARGET, attribution
from training.world.catalog import libraries, read_catalog


def test_every_model_is_named_with_creator_and_license(tmp_path: Path) -> None:
    path = write_library(tmp_path)
    with zipfile.ZipFile(path) as library:
        entries = list(read_catalog(library, path.stem))
    assert len(entries) == VARIANTS * len(FURNITURE)
    assert {entry.license for entry in entries} == {'CC-BY-3.0'}
    page = ' '.join(attribution(entries).split())
    for creator in {entry.creator for entry in entries}:
        assert f'* {creator}: ' in page
    assert page.count('Sofa') == VARIANTS


def test_escapes_of_the_catalog_are_letters(tmp_path: Path) -> None:
    path = tmp_path / 'Scopia.sh3f'
    with zipfile.ZipFile(path, 'w') as library:
        text = 'name#1=Bill 10\\u20ac\ncategory#1=Miscellaneous\nmodel#1=/a/a.obj\n'
        library.writestr('PluginFurnitureCatalog.properties', text)
    with zipfile.ZipFile(path) as library:
        (entry,) = read_catalog(library, 'Scopia')
    assert entry.name == 'Bill 10€'


def test_the_page_names_all_five_libraries() -> None:
    text = TARGET.read_text(encoding='utf-8')
    for heading in (
        'BlendSwap-CC-0 (CC0-1.0)',
        'BlendSwap-CC-BY (CC-BY-3.0)',
        'Scopia (CC-BY-3.0)',
    ):
        assert f'\n## {heading}\n' in text
    assert text.count('(CC-BY-3.0-US)\n') == 2


def test_a_missing_library_is_named_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match='sweethome3d-furniture'):
        libraries(tmp_path)
