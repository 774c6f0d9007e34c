import torch
import torch.nn.functional as F

from mono_depth_ros.core.upsampling import upsampled


def test_it_is_bilinear_between_centers_of_cells() -> None:
    grid = torch.rand(7, 9, generator=torch.Generator().manual_seed(0))
    found = upsampled(grid, (37, 61))
    expected = F.interpolate(grid[None, None], (37, 61), mode='bilinear')[0, 0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
