"""What users state in YAML: parameters of the node, also as name=value, and calibrations."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ..core.camera.calibration import CameraCalibration
from ..core.camera.plausibility import require_plausible
from ..core.errors import CalibrationError, SettingsError
from ..core.network.network_settings import EstimatorSettings
from ..core.pipeline import PipelineSettings
from ..core.settings import Settings, parameter_table


@dataclass(frozen=True)
class OfflineSettings(Settings):
    """Settings of the node that make sense without a graph."""

    estimator: EstimatorSettings = field(default_factory=EstimatorSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pipeline.require_kind(self.estimator.kind)


def read_parameters(path: Path) -> dict[str, Any]:
    """Return the parameters in a file for `--params-file` of ROS, of all nodes in it, by name.

    Raises:
        SettingsError: It cannot be read, or is no such file.
    """
    found: dict[str, Any] = {}
    for node in _nodes(_content(path, SettingsError)):
        found.update(_flat(node, ''))
    if not found:
        raise SettingsError(f'{path} has no parameters below ros__parameters')
    return found


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Return the parameters in texts such as cloud.stride=2, values read as in YAML.

    Raises:
        SettingsError: One is no assignment, or there is no such parameter.
    """
    rows = {row.name: row for row in parameter_table(OfflineSettings())}
    values: dict[str, Any] = {}
    for assignment in assignments:
        name, sign, text = assignment.partition('=')
        if not sign or name not in rows:
            reason = 'must be NAME=VALUE' if not sign else f'{name} is no parameter'
            raise SettingsError(f'{assignment}: {reason}; README.md lists them all')
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SettingsError(f'{assignment}: {error}') from error
        # A number that the user wrote without a point, and a text that looks like a number.
        kind = type(rows[name].default)
        values[name] = kind(value) if kind is float and type(value) is int else value
        if kind is str:
            values[name] = text
    return values


def read_calibration(path: Path) -> CameraCalibration:
    """Return the calibration in a file that camera_calibration wrote.

    Rectification and projection may be missing: then they are the identity and the camera matrix.

    Raises:
        CalibrationError: The file cannot be read, or is no plausible calibration.
    """
    content = _content(path, CalibrationError)
    try:
        calibration = _calibration(content)
        require_plausible(calibration)
        return calibration
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f'{error} is missing' if isinstance(error, KeyError) else str(error)
        raise CalibrationError(
            f'{path} is no calibration of camera_calibration: {reason}'
        ) from error


def _content(path: Path, kind: type[SettingsError] | type[CalibrationError]) -> Any:
    """Return what a YAML file holds; whatever is wrong with it is an error of that kind."""
    try:
        return yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise kind(f'{path} cannot be read: {error.strerror}') from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise kind(f'{path} is no YAML: {error}') from error


def _nodes(content: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what lies below each ros__parameters."""
    if isinstance(content, Mapping):
        for name, below in content.items():
            if name == 'ros__parameters' and isinstance(below, Mapping):
                yield below
            else:
                yield from _nodes(below)


def _flat(node: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in node.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value


def _calibration(content: Mapping[str, Any]) -> CameraCalibration:
    k = content['camera_matrix']['data']
    d, r, p = (
        (content.get(name) or {}).get('data', ())
        for name in ('distortion_coefficients', 'rectification_matrix', 'projection_matrix')
    )
    return CameraCalibration.of_numbers(
        int(content['image_width']),
        int(content['image_height']),
        k,
        d,
        str(content.get('distortion_model', 'plumb_bob')),
        r,
        p,
    )
