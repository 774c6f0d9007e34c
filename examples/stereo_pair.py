"""Depth of a rectified stereo pair: the matcher alone, and fused with a network.

python examples/stereo_pair.py left.png right.png --focal 995 --baseline 0.193 -o out
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch

from mono_depth_ros import MonoDepth, PinholeCamera, match_disparity, write_npy


def main() -> None:
    """Write both depths and the fused cloud, and print how much each of them knows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('left', type=Path)
    parser.add_argument('right', type=Path)
    parser.add_argument('--focal', type=float, required=True, metavar='PX')
    parser.add_argument('--baseline', type=float, required=True, metavar='M')
    parser.add_argument('--encoder', default='tiny', help='vits for real use')
    parser.add_argument('-o', '--output', type=Path, default=Path('stereo_pair'))
    args = parser.parse_args()
    args.output.mkdir(exist_ok=True)
    left, right = (cv2.imread(str(path))[..., ::-1].copy() for path in (args.left, args.right))
    disparity = match_disparity(torch.from_numpy(left), torch.from_numpy(right))
    alone = (args.focal * args.baseline / disparity).numpy()
    mono = MonoDepth(encoder=args.encoder, variant='relative')
    height, width = disparity.shape
    middle = (width - 1) / 2, (height - 1) / 2
    camera = PinholeCamera(width, height, args.focal, args.focal, *middle)
    measured = {'disparity': disparity, 'focal_px': args.focal, 'baseline_m': args.baseline}
    fused = mono(left, camera=camera, **measured)
    write_npy(args.output / 'stereo.npy', alone)
    write_npy(args.output / 'fused.npy', fused.depth)
    fused.write_ply(args.output / 'fused.ply')
    for name, depth in (('stereo alone', alone), ('fused', fused.depth)):
        print(f'{name}: {np.isfinite(depth).mean():.0%} of the pixels are known')


if __name__ == '__main__':
    main()
