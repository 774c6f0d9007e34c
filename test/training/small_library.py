"""A furniture library of boxes, one for each role, as Sweet Home 3D's are."""

import zipfile
from pathlib import Path

_OBJ = """\
mtllib {name}.mtl
v 0 0 0
v 2 0 0
v 2 1 0
v 0 1 0
v 0 0 4
v 2 0 4
v 2 1 4
v 0 1 4
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl wood
f 1/1 4/4 3/3 2/2
f 5/1 6/2 7/3 8/4
f 1//1 2//1 6//1 5//1
f 4 8 7 3
f -8 -4 -1 -5
usemtl steel
f 2 3 7 6
"""
_MTL = """\
newmtl wood
Kd 0.5 0.3 0.1
Ks 0.2 0.2 0.2
newmtl steel
Kd 0.4 0.4 0.4
d 1.0
"""
FURNITURE = (
    ('Sofa', 'Living room', (200, 90, 80), ''),
    ('Armchair', 'Living room', (80, 80, 90), ''),
    ('Table', 'Living room', (140, 80, 75), ''),
    ('Coffee table', 'Living room', (90, 50, 45), ''),
    ('Chair', 'Living room', (45, 50, 90), ''),
    ('Bookcase', 'Living room', (90, 35, 180), ''),
    ('Vase', 'Miscellaneous', (20, 20, 30), ''),
    ('Desk', 'Office', (140, 70, 72), ''),
    ('Chair', 'Office', (60, 60, 95), ''),
    ('Bed', 'Bedroom', (150, 210, 70), 'dropOnTopElevation'),
    ('Wardrobe', 'Bedroom', (120, 60, 200), ''),
    ('Lower cabinet', 'Kitchen', (60, 60, 88), ''),
    ('Upper cabinet', 'Kitchen', (60, 40, 70), 'elevation'),
    ('Toilets unit', 'Bathroom', (40, 60, 75), ''),
    ('Door', 'Doors and windows', (90, 15, 205), ''),
    ('Double window', 'Doors and windows', (110, 20, 130), 'elevation'),
    ('Hanging light', 'Lights', (40, 40, 30), ''),
    ('Male', 'Characters', (60, 40, 185), ''),
    ('SUV', 'Vehicles', (200, 450, 160), ''),
    ('Pine', 'Exterior', (350, 350, 550), ''),
)
"""Name, category, size [cm] and what else the catalog says."""
VARIANTS = 4
"""Of each, so that some can be held out."""


def write_library(folder: Path) -> Path:
    """Write `Scopia.sh3f` into a folder and return its path."""
    path = folder / 'Scopia.sh3f'
    rows = [row for row in FURNITURE for _ in range(VARIANTS)]
    with zipfile.ZipFile(path, 'w') as library:
        lines = ['name=a library of boxes']
        for number, (name, category, size, more) in enumerate(rows, 1):
            fields = {
                'name': name,
                'category': category,
                'tags': '',
                'creator': f'Somebody{number % 3}',
                'model': f'/boxes/box{number}/box{number}.obj',
                **dict(zip(('width', 'depth', 'height'), map(str, size), strict=True)),
                **({more: '90'} if more else {}),
            }
            lines += [f'{key}#{number}={value}' for key, value in fields.items()]
            stem = f'boxes/box{number}/box{number}'
            library.writestr(f'{stem}.obj', _OBJ.format(name=f'box{number}'))
            library.writestr(f'{stem}.mtl', _MTL)
        library.writestr('PluginFurnitureCatalog.properties', '\n'.join(lines))
    return path
