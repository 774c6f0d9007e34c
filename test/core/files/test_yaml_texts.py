"""Parameters as YAML: what is a text stays one, and what is a float has a point."""

import math

import pytest
import yaml

from mono_depth_ros.core.files.yaml_texts import dump_parameters


@pytest.mark.parametrize('text', ['nan', 'inf', 'y', 'on', '007', '', "it's", 'a: b', 'é', '/x'])
def test_texts_are_quoted(text: str) -> None:
    dumped = dump_parameters({'depth_invalid': text})
    assert dumped.startswith("depth_invalid: '")
    assert yaml.safe_load(dumped) == {'depth_invalid': text}


@pytest.mark.parametrize(
    ('value', 'written'),
    [(25.0, '25.0'), (0.0, '0.0'), (1.5e-7, '0.00000015'), (-2e9, '-2000000000.0')],
)
def test_floats_have_a_point(value: float, written: str) -> None:
    assert dump_parameters({'scale': value}) == f'scale: {written}\n'


def test_numbers_that_are_not_finite_are_numbers() -> None:
    found = yaml.safe_load(dump_parameters({'a': math.inf, 'b': math.nan}))
    assert found['a'] == math.inf
    assert math.isnan(found['b'])


def test_nested_parameters_keep_their_order() -> None:
    content = {'/**': {'ros__parameters': {'rectify': True, 'cloud': {'stride': 2}, 'l': ['on']}}}
    dumped = dump_parameters(content)
    assert yaml.safe_load(dumped) == content
    assert dumped.startswith('/**:\n  ros__parameters:\n    rectify: true\n    cloud:\n')
