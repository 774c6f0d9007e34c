"""Preprocessing as preprocessor_config.json says, beside the library's own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hub_models import processor

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.network.hub.image_processor import read_processor

SIZES = [(480, 640), (640, 480), (720, 1280), (100, 80), (517, 777), (64, 64)]
KEPT = {'keep_aspect_ratio': True}
CASES = [
    ('DPT', {}),
    ('DPT', KEPT | {'ensure_multiple_of': 14, 'size': {'height': 56, 'width': 56}}),
    ('DPT', KEPT | {'ensure_multiple_of': 32}),
    ('DPT', {'do_resize': False, 'do_pad': True, 'size_divisor': 14}),
    ('DPT', KEPT | {'ensure_multiple_of': 8, 'do_pad': True, 'size_divisor': 14}),
    ('ZoeDepth', {'keep_aspect_ratio': True}),
    ('ZoeDepth', {'keep_aspect_ratio': True, 'do_pad': False}),
    ('GLPN', {}),
]


def theirs(folder: Path, family: str, content: dict[str, Any]) -> Any:
    import transformers

    (folder / 'preprocessor_config.json').write_text(json.dumps(content))
    return getattr(transformers, f'{family}ImageProcessorPil').from_pretrained(folder)


@pytest.mark.parametrize(('family', 'changes'), CASES)
def test_sizes_and_values_are_those_of_the_library(
    tmp_path: Path, family: str, changes: dict[str, Any]
) -> None:
    content = processor(family, **changes)
    ours, library = read_processor(content, 'here'), theirs(tmp_path, family, content)
    for height, width in SIZES:
        v, u = np.mgrid[:height, :width] / max(height, width)
        rgb = np.stack((200 * v, 255 * u, 255 - 200 * v), axis=-1).astype(np.uint8)
        expected = library(images=rgb, return_tensors='np')['pixel_values']
        found = ours.inputs(torch.from_numpy(rgb)).numpy()
        assert found.shape == expected.shape, (height, width)
        assert ours.place(height, width).network == expected.shape[2:]
        # Another cubic, and the corners of ZoeDepth kept: a pixel of this slope is 0.03.
        assert np.abs(found - expected).mean() < 0.02, (height, width)


def test_values_alone_are_exact() -> None:
    rgb = torch.randint(0, 256, (64, 64, 3), generator=torch.Generator().manual_seed(0))
    found = read_processor(processor('DPT'), 'here').inputs(rgb.byte())
    np.testing.assert_allclose(found[0], (rgb.permute(2, 0, 1) / 255 - 0.5) / 0.5, atol=1e-5)
    plain = read_processor(processor('DPT', do_normalize=False, do_rescale=False), 'here')
    np.testing.assert_array_equal(plain.inputs(rgb.byte())[0], rgb.permute(2, 0, 1))


@pytest.mark.parametrize(
    'name',
    ['DPTImageProcessorFast', 'DPTFeatureExtractor', 'DPTImageProcessorPil', 'DPTImageProcessor'],
)
def test_all_names_of_a_class(name: str) -> None:
    content = processor('DPT') | {'size': 384, 'do_pad': None}
    del content['image_processor_type']
    key = 'feature_extractor_type' if 'Extractor' in name else 'image_processor_type'
    assert read_processor(content | {key: name}, 'here').place(480, 640).network == (384, 384)


def test_input_size() -> None:
    kept = read_processor(processor('DPT', keep_aspect_ratio=True, ensure_multiple_of=14), 'here')
    assert kept.sized(280, 'x').place(480, 640).network == (280, 378)
    assert kept.sized(0, 'x') == kept
    padded = read_processor(processor('DPT', do_resize=False, do_pad=True, size_divisor=14), 'h')
    assert padded.sized(280, 'x').place(480, 640).network == (280, 378)
    glpn = read_processor(processor('GLPN'), 'here')
    assert glpn.sized(256, 'x').place(480, 640).network == (256, 352)
    with pytest.raises(SettingsError, match='input_size is 280 px, and the input of x is 32x32'):
        read_processor(processor('DepthPro'), 'here').sized(280, 'x')


@pytest.mark.parametrize(
    ('content', 'error'),
    [
        ([], 'not a mapping'),
        ({}, 'lacks image_processor_type'),
        ({'image_processor_type': 'CLIPImageProcessor'}, 'CLIPImageProcessor, which is not known'),
        (processor('DPT', resample=1), 'resample 1; give 2'),
        (processor('DPT', do_center_crop=True), 'do_center_crop true'),
        (processor('DPT', image_std=[0, 1, 1]), 'must be positive'),
        (processor('DPT', image_mean='none'), "image_mean 'none', which must be 3 numbers"),
        (processor('DPT', rescale_factor=0), 'rescale_factor 0, which must be positive'),
        (processor('DPT', size={'shortest_edge': 384}), 'size lacks height'),
        (processor('DPT', size=100_000), 'size 100000; give 1 to 4096'),
        (processor('DPT', do_pad=True), 'size_divisor None'),
        (processor('GLPN', size_divisor=10**6), 'size_divisor 1000000; give 1 to 4096 px'),
        (processor('DPT', ensure_multiple_of=10**6), 'ensure_multiple_of 1000000; give 1 to'),
        (processor('DPT', image_mean=[123, 117, 104]), 'pixels times scale are 0 to 1'),
        (processor('DPT', do_resize='yes'), "do_resize 'yes', which must be true or false"),
    ],
)
def test_what_is_not_done_is_refused(content: Any, error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        read_processor(content, 'here')
