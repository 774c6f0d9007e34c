"""Where the camera was at each moment, as trajectories of data sets say it."""

import math
from pathlib import Path

import torch

from ...core.camera.rigid_transform import RigidTransform
from ...core.errors import EvaluationError
from ...offline.images import SAME_MOMENT_NS

_COLUMNS = 8


class Poses:
    """Poses (N, 4, 4) float64 of the optical frame in a map, at moments (N,) int64 [ns].

    They are read from a file of the form of TUM RGB-D (Sturm 2012); # begins a comment.

    Raises:
        EvaluationError: It cannot be read, or a line holds no pose.
    """

    def __init__(self, path: Path) -> None:
        try:
            lines = path.read_text(errors='replace').splitlines()
        except OSError as error:
            raise EvaluationError(f'{path} cannot be read: {error.strerror}') from error
        moments, poses = [], []
        for line in lines:
            words = line.partition('#')[0].split()
            if not words:
                continue
            try:
                moments.append(round(1e9 * float(words[0])))  # off by a microsecond at most
                poses.append(_pose([float(word) for word in words[1:]]))
            except (ValueError, OverflowError) as error:
                remedy = 'a line is: stamp [s], x y z [m], qx qy qz qw'
                raise EvaluationError(f'{path} has the line {line!r}', remedy) from error
        if not poses:
            raise EvaluationError(f'{path} holds no pose')
        self.moments_ns, self.poses = torch.tensor(moments), torch.stack(poses)

    def at(self, moment_ns: int | None) -> torch.Tensor:
        """Return the (4, 4) pose nearest to a moment, at most 20 ms away.

        Raises:
            EvaluationError: There is none, or the moment is not known.
        """
        if moment_ns is None:
            raise EvaluationError('the frame bears no time to find its pose by')
        apart = (self.moments_ns - moment_ns).abs()
        nearest = int(apart.argmin())
        if int(apart[nearest]) > SAME_MOMENT_NS:
            raise EvaluationError(f'the nearest pose is {int(apart[nearest]) / 1e9:.3g} s away')
        return self.poses[nearest]


def _pose(numbers: list[float]) -> torch.Tensor:
    x, y, z, *quaternion = numbers
    length = math.hypot(*quaternion)
    if len(numbers) != _COLUMNS - 1 or not all(map(math.isfinite, numbers)) or length < 1e-3:
        raise ValueError
    place = RigidTransform.of((x, y, z), quaternion)
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, :3], pose[:3, 3] = torch.from_numpy(place.rotation), torch.from_numpy(place.position)
    return pose
