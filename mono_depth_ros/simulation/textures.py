"""A bank of gray texture tiles with their mip levels, made once per process from a fixed seed."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch

EDGE = 256
"""Texels along one side of a tile."""

Maker = Callable[[torch.Generator], torch.Tensor]


@dataclass(frozen=True, eq=False)
class TextureBank:
    """All tiles at all mip levels in one flat tensor.

    Attributes:
        texels: (T,) uint8; level l starts at `start[l]` and holds tiles of (EDGE >> l)^2.
        start: (L,) int32.
        groups: Tile indices of each kind of texture.
    """

    texels: torch.Tensor
    start: torch.Tensor
    groups: dict[str, range]

    def sample(
        self, tile: torch.Tensor, u: torch.Tensor, v: torch.Tensor, footprint: torch.Tensor
    ) -> torch.Tensor:
        """Return (P,) float32 in 0..1: `tile` (P,) at `u`, `v` (P,), measured in tiles.

        `footprint` (P,) is the size of the seen spot in tiles; it chooses the mip level.
        Bilinear within a level, tiles repeat.
        """
        level = (footprint * EDGE).clamp(min=1).log2().round().int()
        level = level.clamp_(max=self.start.numel() - 1)
        size = torch.bitwise_right_shift(torch.full_like(level, EDGE), level)
        mask = size - 1
        x, y = u * size - 0.5, v * size - 0.5
        x0, y0 = x.floor(), y.floor()
        column, row = x0.int(), y0.int()
        left, right = column & mask, (column + 1) & mask
        base = self.start.index_select(0, level) + tile.int() * (size * size)
        top, bottom = base + (row & mask) * size, base + ((row + 1) & mask) * size
        fx = x - x0
        upper = torch.lerp(self._at(top + left), self._at(top + right), fx)
        lower = torch.lerp(self._at(bottom + left), self._at(bottom + right), fx)
        return torch.lerp(upper, lower, y - y0) / 255

    def _at(self, index: torch.Tensor) -> torch.Tensor:
        return self.texels.index_select(0, index).float()


@cache
def texture_bank() -> TextureBank:
    """Return the bank; the same texels on every machine with the same torch generator."""
    generator = torch.Generator().manual_seed(20240607)
    tiles: list[torch.Tensor] = []
    groups = {}
    for name, (count, maker) in _MAKERS.items():
        groups[name] = range(len(tiles), len(tiles) + count)
        tiles += [maker(generator).clamp(0, 1) for _ in range(count)]
    levels = [torch.stack(tiles)]
    while levels[-1].shape[-1] > 1:
        levels.append(torch.nn.functional.avg_pool2d(levels[-1][:, None], 2)[:, 0])
    texels = torch.cat([(level * 255).round().to(torch.uint8).flatten() for level in levels])
    sizes = torch.tensor([level.numel() for level in levels])
    return TextureBank(texels, (sizes.cumsum(0) - sizes).int(), groups)


def _pick(g: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=g))


def _whole(g: torch.Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high + 1, (), generator=g))


def _grid() -> tuple[torch.Tensor, torch.Tensor]:
    """Return x and y in 0..1 of the texel centers."""
    axis = (torch.arange(EDGE) + 0.5) / EDGE
    y, x = torch.meshgrid(axis, axis, indexing='ij')
    return x, y


def _fractal(
    g: torch.Generator, exponent: float, low: float = 1, stretch: float = 1
) -> torch.Tensor:
    """Return tileable noise with a 1 / f^exponent spectrum above `low` cycles, std 0.2 at 0.5."""
    f = torch.fft.fftfreq(EDGE) * EDGE
    radius = torch.hypot(f[:, None] * stretch, f[None, :])
    gain = torch.where(radius >= low, radius.clamp(min=1) ** -exponent, 0.0)
    spectrum = torch.fft.fft2(torch.randn(EDGE, EDGE, generator=g)) * gain
    noise: torch.Tensor = torch.fft.ifft2(spectrum).real
    return 0.5 + 0.2 * noise / noise.std()


def _noise(g: torch.Generator) -> torch.Tensor:
    return _fractal(g, _pick(g, 0.8, 2.2), _pick(g, 1, 6))


def _fine(g: torch.Generator) -> torch.Tensor:
    return _fractal(g, _pick(g, 0.0, 0.7), _pick(g, 4, 30))


def _blobs(g: torch.Generator) -> torch.Tensor:
    noise = _fractal(g, _pick(g, 1.6, 2.6), _pick(g, 2, 5))
    return torch.sigmoid((noise - _pick(g, 0.4, 0.6)) * _pick(g, 20, 80))


def _marble(g: torch.Generator) -> torch.Tensor:
    x, y = _grid()
    warp = (_fractal(g, 1.8) - 0.5) * _pick(g, 3, 12)
    veins = torch.sin(2 * math.pi * (_whole(g, 0, 3) * x + _whole(g, 1, 3) * y) + warp)
    return (1 - veins.abs()) ** _pick(g, 1, 4)


def _grain(g: torch.Generator) -> torch.Tensor:
    _, y = _grid()
    stretched = _fractal(g, _pick(g, 0.8, 1.4), 2, stretch=_pick(g, 8, 20))
    rings = torch.sin(2 * math.pi * (_whole(g, 3, 9) * y + (_fractal(g, 2.2) - 0.5) * 2))
    return 0.7 * stretched + 0.15 + 0.15 * rings


def _masonry(
    g: torch.Generator, rows: int, columns: int, shift: float, gap: float, spread: float
) -> torch.Tensor:
    """Return rows of stones: per-stone tint, joints at 0."""
    x, y = _grid()
    row = (y * rows).floor()
    along = x * columns + row * shift
    stone = (along.floor() % columns).long()
    tint = 0.7 + spread * (torch.rand(rows, columns, generator=g) - 0.5)
    edge = torch.minimum(
        (along - along.floor() - 0.5).abs().sub(0.5).abs() / columns,
        (y * rows - row - 0.5).abs().sub(0.5).abs() / rows,
    )
    joint = torch.sigmoid((edge - gap) * 600)
    return tint[row.long(), stone] * joint + 0.08 * (_fractal(g, 0.8) - 0.5) * joint


def _bricks(g: torch.Generator) -> torch.Tensor:
    rows = 2 * _whole(g, 3, 6)
    return _masonry(g, rows, rows // 2, 0.5, _pick(g, 0.004, 0.012), _pick(g, 0.1, 0.6))


def _tiles(g: torch.Generator) -> torch.Tensor:
    rows = _whole(g, 2, 8)
    return _masonry(g, rows, rows, 0, _pick(g, 0.003, 0.01), _pick(g, 0, 0.4))


def _planks(g: torch.Generator) -> torch.Tensor:
    rows = _whole(g, 4, 10)
    boards = _masonry(g, rows, _whole(g, 1, 2), _pick(g, 0, 1), 0.002, _pick(g, 0.2, 0.6))
    grain = _fractal(g, 1.0, 2, stretch=12)
    return boards * (0.75 + 0.5 * (grain - 0.3))


def _checker(g: torch.Generator) -> torch.Tensor:
    x, y = _grid()
    cells = 2 * _whole(g, 1, 4)
    return ((x * cells).floor() + (y * cells).floor()) % 2


def _stripes(g: torch.Generator) -> torch.Tensor:
    x, _ = _grid()
    edges = torch.rand(2 * _whole(g, 2, 12), generator=g).sort().values
    band = torch.bucketize(x.contiguous(), edges)
    levels = torch.rand(edges.numel() + 1, generator=g)
    levels[-1] = levels[0]
    return levels[band]


def _plaid(g: torch.Generator) -> torch.Tensor:
    return 0.5 * (_stripes(g) + _stripes(g).T)


def _dots(g: torch.Generator) -> torch.Tensor:
    x, y = _grid()
    cells = _whole(g, 2, 10)
    dx, dy = (x * cells) % 1 - 0.5, (y * cells) % 1 - 0.5
    return torch.sigmoid((_pick(g, 0.15, 0.4) - torch.hypot(dx, dy)) * 40)


def _cells(g: torch.Generator) -> torch.Tensor:
    """Return Voronoi cells: gravel, terrazzo, leaves."""
    count = _whole(g, 10, 60)
    seeds, tint = torch.rand(count, 2, generator=g), torch.rand(count, generator=g)
    x, y = _grid()
    gap = (torch.stack((x, y), -1)[:, :, None] - seeds).abs()
    near, index = torch.minimum(gap, 1 - gap).norm(dim=-1).topk(2, largest=False)
    joint = torch.sigmoid((near[..., 1] - near[..., 0] - _pick(g, 0.002, 0.015)) * 300)
    return tint[index[..., 0]] * joint


def _poster(g: torch.Generator) -> torch.Tensor:
    """Return overlapping rectangles and discs: pictures, prints, labels."""
    x, y = _grid()
    tile = torch.full((EDGE, EDGE), _pick(g, 0, 1)) + (x - 0.5) * _pick(g, -0.5, 0.5)
    for _ in range(_whole(g, 4, 16)):
        cx, cy = _pick(g, 0, 1), _pick(g, 0, 1)
        rx, ry = _pick(g, 0.02, 0.3), _pick(g, 0.02, 0.3)
        dx, dy = (x - cx).abs() / rx, (y - cy).abs() / ry
        inside = torch.hypot(dx, dy) < 1 if _pick(g, 0, 1) < 0.4 else torch.maximum(dx, dy) < 1
        tile = torch.where(inside, _pick(g, 0, 1) + (y - cy) * _pick(g, -1, 1), tile)
    return tile + 0.15 * (_fractal(g, 1.2) - 0.5)


def _script(g: torch.Generator) -> torch.Tensor:
    """Return rows of dashes: print, keyboards, book backs."""
    rows, columns = _whole(g, 6, 24), 64
    ink = torch.rand(rows, columns, generator=g) < _pick(g, 0.5, 0.85)
    x, y = _grid()
    dash = ink[(y * rows).floor().long(), (x * columns).floor().long()]
    return torch.where(dash & ((y * rows) % 1 > _pick(g, 0.2, 0.5)), 1.0, 0.0)


def _books(g: torch.Generator) -> torch.Tensor:
    """Return upright bands of their own tint and height on a dark ground."""
    x, y = _grid()
    edges = torch.rand(_whole(g, 12, 30), generator=g).sort().values
    band = torch.bucketize(x.contiguous(), edges)
    tint = torch.rand(edges.numel() + 1, generator=g) * 0.9 + 0.1
    top = 0.75 + 0.25 * torch.rand(edges.numel() + 1, generator=g)
    label = (((y - 0.5).abs() < 0.1) & (band % 3 == 0)).float() * 0.4
    return torch.where(y < top[band], tint[band] - label, 0.0)


_MAKERS: dict[str, tuple[int, Maker]] = {
    'noise': (12, _noise),
    'fine': (8, _fine),
    'blobs': (8, _blobs),
    'marble': (6, _marble),
    'grain': (8, _grain),
    'bricks': (8, _bricks),
    'tiles': (8, _tiles),
    'planks': (8, _planks),
    'checker': (4, _checker),
    'stripes': (8, _stripes),
    'plaid': (4, _plaid),
    'dots': (6, _dots),
    'cells': (8, _cells),
    'poster': (16, _poster),
    'script': (6, _script),
    'books': (8, _books),
}
