"""Views of picture files: stereo pairs, disparity maps, and a picture with a few distances."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from ...core.errors import AlignmentError, MonoDepthError
from ...core.scale.correspondences import Correspondences
from ...offline.frames import Frame
from ...offline.inputs import Input
from ...offline.measuring import Measuring
from .looking import Geometry, Looker
from .tape import Tape, require_camera, sampled


def pair_points(
    inputs: Sequence[Input],
    measuring: Measuring,
    looker: Looker,
    max_side: int,
    fail: Callable[[str, str], None],
) -> dict[str, Correspondences]:
    """Return the measured points of pictures, by their names.

    Args:
        inputs: Left pictures of rectified pairs.
        measuring: What measures them.
        looker: The network.
        max_side: Larger pictures are reduced to this [px].
        fail: Told the name of a picture and why it cannot be used.
    """
    found = {}
    for entry in inputs:
        try:
            frame = _only_frame(entry, max_side)
            seen = looker.look(frame)
            if seen.camera is None:
                raise AlignmentError('no calibration is known: --focal or --calibration')
            if looker.rectified:
                raise AlignmentError(
                    'disparity lives in the rectified image, and the calibration says that this '
                    'one is not; rectify both pictures first'
                )
            observation = measuring.observe(entry.path, frame, seen.camera)
            found[entry.stem] = looker.points(seen, observation, matched=True)
        except MonoDepthError as error:
            fail(entry.stem, str(error))
    return found


def tape_samples(
    entry: Input,
    tapes: Sequence[Tape],
    is_straight: bool,
    looker: Looker,
    geometry: Geometry,
    max_side: int,
) -> tuple[dict[str, tuple[float, float]], list[str]]:
    """Return prediction and depth [m] by place, and warnings; see `sampled`.

    Places are those of the picture as it is, so it is not rectified.

    Raises:
        MonoDepthError: The picture cannot be used, or a place of it.
    """
    frame = _only_frame(entry, max_side)
    calibration = geometry.of(frame)
    if geometry.rectify and calibration is not None and not calibration.is_rectified:
        raise AlignmentError(
            f'{entry.path} is not rectified, by its calibration, and places in it would move: '
            'rectify it first, or --no-rectify'
        )
    seen = looker.look(frame)
    camera = require_camera(seen.camera) if is_straight else None
    return sampled(seen, tapes, frame.reduction, camera)


def _only_frame(entry: Input, max_side: int) -> Frame:
    """Return a picture, with a stamp of its own.

    Raises:
        MonoDepthError: It is no picture, or damaged.
    """
    if entry.is_bag or entry.is_video:
        raise AlignmentError(f'{entry.path} is no picture')
    (item,) = entry.open(max_side).items()
    return replace(item.load(), stamp_ns=1)
