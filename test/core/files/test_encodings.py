"""16-bit samples that do not fill 16 bits are shown in full, and steadily."""

import numpy as np
import pytest

from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.core.files.encodings import SampleRange

RAMP = np.linspace(0, 1, 120 * 160).reshape(120, 160)


def spread(low: float, high: float, step: int = 1) -> np.ndarray:
    """Return 120x160 samples that rise evenly from low to high."""
    return (np.rint((low + (high - low) * RAMP) / step) * step).astype(np.uint16)


@pytest.mark.parametrize(
    'samples',
    [
        spread(0, 1020),
        spread(0, 4095),
        spread(7000, 9000),
        spread(200, 16000, 16),
        spread(0, 4095)[:, :, None].repeat(3, axis=2),
    ],
    ids=['mono16', 'bayer12', 'thermal', 'shifted', 'color'],
)
def test_what_does_not_fill_16_bits_is_shown_in_full(samples: np.ndarray) -> None:
    shown = SampleRange().eight_bit(samples)
    expected = 255 * RAMP if samples.ndim == 2 else 255 * RAMP[..., None]
    np.testing.assert_allclose(shown.astype(float), expected + 0 * samples, atol=5)
    big_endian = samples.astype('>u2')
    np.testing.assert_array_equal(SampleRange().eight_bit(big_endian), shown)


def test_what_fills_16_bits_is_scaled_as_it_is() -> None:
    for high in (40_000, 65_535):
        samples = spread(3000, high)
        expected = np.rint(samples / 257)
        np.testing.assert_allclose(SampleRange().eight_bit(samples), expected, atol=1)


def test_noise_is_not_stretched_to_a_picture() -> None:
    rng = np.random.default_rng(0)
    for step in (1, 16, 64):
        noise = np.rint(rng.normal(100, 3, (120, 160))).astype(np.uint16) * step
        assert np.ptp(SampleRange().eight_bit(noise).astype(int)) <= 30


@pytest.mark.parametrize(('bits', 'factor'), [(8, 1), (10, 4), (12, 16), (16, 257)])
def test_stated_bits_are_used_exactly(bits: int, factor: int) -> None:
    samples = np.minimum(spread(0, 255) * factor, 2**bits - 1).astype(np.uint16)
    expected = np.rint(samples * (255 / (2**bits - 1)))
    shown = SampleRange()
    for given in (samples, samples // 2, samples):
        result = shown.eight_bit(given, bits)
    np.testing.assert_array_equal(result, expected)


def test_samples_beyond_the_stated_bits_are_refused_by_number() -> None:
    complaint = r'bit_depth is 10, and 75 % of the samples exceed 1023 \(up to 40..\)'
    with pytest.raises(ImageError, match=complaint) as error:
        SampleRange().eight_bit(spread(0, 4095), 10)
    assert 'set bit_depth to the bits that the driver uses' in error.value.remedy


@pytest.mark.parametrize('share', [0.005, 0.05, 0.2])
def test_a_lamp_changes_the_scene_by_at_most_13_levels_a_frame(share: float) -> None:
    shown, scene = SampleRange(), spread(500, 1020)
    before = shown.eight_bit(scene).astype(int)
    rows = max(1, round(120 * share))
    lit = scene.copy()
    lit[-rows:] = 30_000
    for picture in [lit] * 40 + [scene] * 40:
        after = shown.eight_bit(picture).astype(int)
        assert np.abs(after - before)[:-rows].max() <= 13
        before = after
    if share < 0.01:
        np.testing.assert_allclose(after, SampleRange().eight_bit(scene), atol=1)


def test_single_flickering_frames_do_not_add_up() -> None:
    shown, scene = SampleRange(), spread(0, 1020)
    first = shown.eight_bit(scene).astype(int)
    for i in range(100):
        bright = np.clip(scene * (1.1 if i % 2 else 0.9), 0, 65535).astype(np.uint16)
        # Brightness itself changes by 10 %; the range stays within two steps.
        expected = np.clip(first * (1.1 if i % 2 else 0.9), 0, 255)
        assert np.abs(shown.eight_bit(bright) - expected).max() <= 26


def test_light_that_goes_on_is_followed_at_once() -> None:
    shown = SampleRange()
    shown.eight_bit(spread(0, 60))
    np.testing.assert_allclose(shown.eight_bit(spread(0, 4095)), 255 * RAMP, atol=5)


def test_a_covered_lens_leaves_the_range_as_it_is() -> None:
    shown = SampleRange()
    before = shown.eight_bit(spread(0, 1020))
    for _ in range(50):
        shown.eight_bit(np.full((120, 160), 5, np.uint16))
    np.testing.assert_array_equal(shown.eight_bit(spread(0, 1020)), before)


def test_alpha_is_no_brightness() -> None:
    colors = spread(0, 1020)[..., None].repeat(4, axis=2)
    colors[..., 3] = 65535
    np.testing.assert_allclose(SampleRange().eight_bit(colors)[..., 0], 255 * RAMP, atol=5)
