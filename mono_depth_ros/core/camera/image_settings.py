"""Settings of how images are prepared."""

from dataclasses import dataclass

from ..errors import SettingsError
from ..settings import setting
from .decoding import DecodingSettings
from .mask import require_mask_file


@dataclass(frozen=True)
class ImageSettings(DecodingSettings):
    """How images are prepared."""

    output_scale: float = setting(
        1.0, 'Size of all outputs relative to the input image.', limits=(0.05, 1.0)
    )
    rectify: bool = setting(
        False, 'Rectify the image with its camera_info first; required for unrectified images.'
    )
    assume_rectified: bool = setting(
        False,
        'The image is rectified already, although its camera_info (that of the raw image) has '
        'distortion: P holds. Not together with rectify.',
    )
    mask: str = setting(
        '',
        'PNG aligned with the input image; depth is unknown where it is black, for instance on '
        'the robot itself or outside the image circle of a lens.',
        validate=require_mask_file,
    )
    min_contrast: float = setting(
        2.0,
        'Depth is unknown where the gray levels of an image, without noise, span fewer of 255 '
        '(covered lens, no light, blank wall); 0 = accept every image.',
        limits=(0.0, 64.0),
    )
    fov_deg: float = setting(
        0.0,
        'Horizontal field of view to assume without a usable camera_info; 0 = never assume one.',
        unit='deg',
        limits=(0.0, 179.0),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rectify and self.assume_rectified:
            raise SettingsError(
                'rectify and assume_rectified are both true',
                'set rectify for a raw image, assume_rectified for one that is rectified already',
            )
