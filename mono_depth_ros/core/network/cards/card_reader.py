"""Read the card of a network from YAML, or from the metadata of an ONNX file."""

import json
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from ...errors import SettingsError
from ...parsing import parsing, read_bytes
from ...settings import user_path
from ...yaml_loading import strict_yaml
from ..hub.hub_card import HubCard
from ..hub.hub_name import PREFIX, read_hub_name
from ..hub.hub_reader import is_hub_card, made_hub_card, read_hub_card
from .card_fields import CardFields
from .network_card import CameraInput, InputRule, InvalidRule, NetworkCard, SpreadRule
from .normalization import require_plausible
from .onnx_metadata import METADATA_KEY, read_metadata
from .output_kind import OutputKind, read_meters, read_range
from .placement import read_size

_CAMERA_FORMS = ('K3x3', 'P3x4', 'focal_px', 'fov_x_deg', 'rays')
_MOST_BYTES = 1_000_000


def read_card(network: str) -> NetworkCard:
    """Return the card of an ONNX file: a YAML file, or an ONNX file that holds one.

    Raises:
        SettingsError: There is no such file, or the card in it is incomplete or contradicts
            itself.
    """
    card = read_network(network)
    if isinstance(card, HubCard):
        raise SettingsError(f'network {network} is a model of transformers, not an ONNX file')
    return card


def read_network(network: str) -> NetworkCard | HubCard:
    """Return what the parameter `network` names: a card, or a model of transformers.

    Raises:
        SettingsError: See `read_card` and `read_hub_card`.
        CheckpointError: See `read_hub_card`.
    """
    if network.startswith(PREFIX):
        return read_hub_card(read_hub_name(network))
    path = user_path('network', network)
    if not path.is_file():
        what = 'is not a file' if path.exists() else 'does not exist'
        raise SettingsError(f'network {path} {what}', 'name a card; see docs/networks.md')
    stat = path.stat()
    content = _read_content(path, stat.st_mtime_ns, stat.st_size)
    if is_hub_card(content):
        return made_hub_card(content, path)
    return made_card(content, path, path if path.suffix.lower() == '.onnx' else None)


@lru_cache(maxsize=4)
def _read_content(path: Path, mtime_ns: int, size: int) -> Any:
    """Return what a card holds, read once for each state of the file."""
    if path.suffix.lower() == '.onnx':
        found = read_metadata(path).get(METADATA_KEY)
        if found is None:
            what = f'{path} holds no card ({METADATA_KEY} in its metadata)'
            raise SettingsError(what, 'write one beside it and name that; see docs/networks.md')
        with parsing(path, 'card', SettingsError):
            return json.loads(found, object_pairs_hook=_without_twins)
    with parsing(path, 'card', SettingsError):
        return strict_yaml(read_bytes(path, _MOST_BYTES, SettingsError))


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f'{min(twice)} stands twice', 'leave one away')
    return dict(pairs)


def shipped_cards() -> list[Path]:
    """Return the cards in the package; their models are not in it."""
    folder = Path(str(resources.files('mono_depth_ros'))) / 'network_cards'
    return sorted(folder.glob('*.yaml'))


def made_card(content: Any, path: Path, model: Path | None = None) -> NetworkCard:
    """Return the card of what a file holds; `model` is the file itself where it holds the card.

    Raises:
        SettingsError: It is incomplete or contradicts itself.
    """
    fields = CardFields(content, f'card {path}')
    if model is None:
        named = fields.text('model', 'name the ONNX file, relative to the card')
        model = path.parent / Path(named).expanduser()
    output = fields.section('output', 'give name and kind of the output that holds depth')
    kinds = [kind.value for kind in OutputKind]
    name = output.text('name', 'name the output of the model that holds depth')
    kind = OutputKind(output.text('kind', f'give one of {", ".join(kinds)}', kinds))
    align_corners = output.flag('align_corners', False)
    output.finish()
    made_input = _read_input(fields.section('input', 'give name, order, scale, mean and std'))
    made = NetworkCard(
        path,
        model,
        fields.optional_text('sha256', '').lower(),
        fields.optional_text('license', ''),
        made_input,
        read_size(fields.section('size', 'give fixed: [height, width], or shorter and multiple')),
        name,
        kind,
        read_meters(
            fields.section('meters', 'give the rule: how the output becomes meters'), kind
        ),
        read_range(fields, kind),
        _read_invalid(fields),
        _read_spread(fields, kind, name),
        _read_camera(fields, made_input.name),
        align_corners,
        fields.optional_text('source', ''),
    )
    fields.finish()
    return made


def _read_input(fields: CardFields) -> InputRule:
    rule = InputRule(
        fields.text('name', 'name the input of the model that takes the image'),
        fields.text('order', 'give rgb or bgr', ('rgb', 'bgr')),
        fields.positive('scale', 'give the factor on pixels of 0..255, such as 1/255 or 1'),
        fields.numbers('mean', 3, 'give what is subtracted after scale, in that order'),
        fields.numbers('std', 3, 'give what it is divided by then, in that order'),
        fields.optional_text('layout', 'nchw', ('nchw', 'nhwc')),
        fields.optional_text('interpolation', 'cubic', ('cubic', 'linear')),
    )
    if min(rule.std) <= 0:
        raise fields.error(f'has std {list(rule.std)}, which must be positive')
    require_plausible(rule.scale, rule.mean, rule.std, fields)
    fields.finish()
    return rule


def _read_invalid(fields: CardFields) -> InvalidRule | None:
    if not fields.has('invalid'):
        return None
    rule = fields.section('invalid', '')
    name = rule.text('name', 'name the output that marks invalid pixels')
    given = [side for side in ('above', 'below') if rule.has(side)]
    if len(given) != 1:
        raise rule.error('needs one of above and below', 'give the threshold as one of them')
    made = InvalidRule(name, rule.number(given[0], ''), given[0] == 'above')
    rule.finish()
    return made


def _read_spread(fields: CardFields, kind: OutputKind, output: str) -> SpreadRule | None:
    if not fields.has('spread'):
        return None
    rule = fields.section('spread', '')
    if kind.is_relative:
        raise rule.error(f'is of depth, and output.kind is {kind.value}', 'leave it out')
    name = rule.text('name', 'name the output with one standard deviation of depth')
    if name == output:
        raise rule.error(f'has name {name!r}, the output with depth', 'name another, or leave it')
    made = SpreadRule(name, rule.text('unit', 'give meters or share', ('meters', 'share')))
    rule.finish()
    return made


def _read_camera(fields: CardFields, image: str) -> CameraInput | None:
    if not fields.has('camera'):
        return None
    rule = fields.section('camera', '')
    name = rule.text('name', 'name the input that takes the camera')
    if name == image:
        raise rule.error(f'has name {name!r}, which takes the image', 'name another, or leave it')
    made = CameraInput(name, rule.text('form', f'give {", ".join(_CAMERA_FORMS)}', _CAMERA_FORMS))
    rule.finish()
    return made
