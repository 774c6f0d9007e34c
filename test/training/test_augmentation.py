"""Pictures as other cameras might have taken them."""

import numpy as np

from training.augmentation import distort_color


def picture() -> np.ndarray:
    v, u = np.mgrid[:48, :64]
    return np.stack((2 * v + 60, 2 * u + 40, v + u + 50), axis=-1).astype(np.uint8)


def test_pictures_stay_pictures_of_the_same() -> None:
    """Each like the original but for its light: brighter where that is, mostly."""
    given = picture()
    before = given.copy()
    agreements = []
    for seed in range(200):
        found = distort_color(np.random.default_rng(seed), given)
        assert (found.dtype, found.shape) == (given.dtype, given.shape)
        if found.std() > 0:
            agreements.append(np.corrcoef(found.ravel(), given.ravel())[0, 1])
    assert np.array_equal(given, before)
    assert np.median(agreements) > 0.6


def test_cameras_differ_in_what_photographs_differ_in() -> None:
    found = [distort_color(np.random.default_rng(seed), picture()) for seed in range(200)]
    gray = sum(np.ptp(image.astype(int), axis=2).max() <= 12 for image in found)
    white = sum((image == 255).all(axis=2).mean() > 0.1 for image in found)
    brightness = [image.mean() for image in found]
    assert 5 < gray < 60
    assert 5 < white < 60
    assert np.std(brightness) > 25
