"""The DINOv2 vision transformer (Oquab et al., 2023), as far as dense features need it."""

import torch
import torch.nn.functional as F
from torch import nn

PATCH_PX = 14

# DINOv2 interpolates its position grid with the scale (n + 0.1) / grid, so that rounding never
# yields one row too few; weights were trained with the samples this lands on.
GRID_OFFSET = 0.1


class Mlp(nn.Module):
    """Two linear layers with GELU between: (B, N, C) -> (B, N, C)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer."""
        out: torch.Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class SwiGlu(nn.Module):
    """Gated feed-forward layer of the giant encoder (Shazeer, 2020): (B, N, C) -> (B, N, C)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        hidden = -(-(4 * dim * 2 // 3) // 8) * 8
        self.w12 = nn.Linear(dim, 2 * hidden)
        self.w3 = nn.Linear(hidden, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer."""
        gate, value = self.w12(x).chunk(2, dim=-1)
        out: torch.Tensor = self.w3(F.silu(gate) * value)
        return out


class Attention(nn.Module):
    """Multi-head self-attention, fused: (B, N, C) -> (B, N, C)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer."""
        batch, tokens, dim = x.shape
        qkv = self.qkv(x).view(batch, tokens, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v)
        out: torch.Tensor = self.proj(attended.transpose(1, 2).reshape(batch, tokens, dim))
        return out


class LayerScale(nn.Module):
    """Learned gain per channel (Touvron et al., 2021)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer."""
        return x * self.gamma


class Block(nn.Module):
    """One transformer block, normalized before each half: (B, N, C) -> (B, N, C)."""

    def __init__(self, dim: int, heads: int, gated: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.ls1 = LayerScale(dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = SwiGlu(dim) if gated else Mlp(dim)
        self.ls2 = LayerScale(dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the block."""
        x = x + self.ls1(self.attn(self.norm1(x)))
        out: torch.Tensor = x + self.ls2(self.mlp(self.norm2(x)))
        return out


class PatchEmbed(nn.Module):
    """Cut the image into patches: (B, 3, H, W) -> (B, H/14 * W/14, C)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, PATCH_PX, PATCH_PX)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Apply the layer."""
        out: torch.Tensor = self.proj(image).flatten(2).transpose(1, 2)
        return out


class DinoV2(nn.Module):
    """The encoder, of the size that a `Preset` describes."""

    def __init__(
        self,
        dim: int,
        depth: int,
        heads: int,
        gated: bool,
        grid: int,
        feature_blocks: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.grid = grid
        self.feature_blocks = feature_blocks
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, grid * grid + 1, dim))
        self.mask_token = nn.Parameter(torch.zeros(1, dim))  # in every checkpoint, of no use here
        self.patch_embed = PatchEmbed(dim)
        self.blocks = nn.ModuleList(Block(dim, heads, gated) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def position_embedding(self, rows: int, cols: int) -> torch.Tensor:
        """Return (1, 1 + rows * cols, C): the position grid resampled to the image's patches."""
        if rows == cols == self.grid:
            return self.pos_embed
        first, rest = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        square = rest.view(1, self.grid, self.grid, -1).permute(0, 3, 1, 2).float()
        scale = [(n + GRID_OFFSET) / self.grid for n in (rows, cols)]
        resampled = F.interpolate(square, scale_factor=scale, mode='bicubic')
        tokens = resampled.flatten(2).transpose(1, 2).to(first.dtype)
        return torch.cat((first, tokens), dim=1)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Return the normalized patch tokens after each feature block.

        Args:
            image: (B, 3, H, W), ImageNet-normalized, H and W multiples of 14.

        Returns:
            For each of `feature_blocks` (B, C, H/14, W/14).
        """
        batch, _, height, width = image.shape
        rows, cols = height // PATCH_PX, width // PATCH_PX
        patches = self.patch_embed(image)
        x = torch.cat((self.cls_token.expand(batch, -1, -1), patches), dim=1)
        x = x + self.position_embedding(rows, cols)
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.feature_blocks:
                tokens = self.norm(x)[:, 1:]
                features.append(tokens.transpose(1, 2).view(batch, -1, rows, cols))
        return features
