"""Read what a model of transformers is from its files, without the library."""

import json
from pathlib import Path
from typing import Any

import huggingface_hub as hub

from ...errors import CheckpointError, SettingsError
from ...parsing import parsing, read_bytes
from ..cards.card_fields import CardFields, shown
from ..cards.network_card import COMMERCIAL
from ..cards.output_kind import OutputKind, read_meters, read_range
from .hub_card import CARD_LINES, HubCard
from .hub_files import CONFIG, MODEL_CARD, MOST_BYTES, PROCESSOR, find_folder
from .hub_name import PREFIX, HubName, read_hub_name
from .image_processor import read_processor
from .output_meaning import CLASSES, WHY_UNKNOWN, OutputMeaning, find_meaning

_SPDX = {license.lower(): license for license in COMMERCIAL}


def is_hub_card(content: Any) -> bool:
    """Return whether a card describes a model of transformers."""
    model = content.get('model') if isinstance(content, dict) else None
    return isinstance(model, str) and model.startswith(PREFIX)


def read_hub_card(name: HubName) -> HubCard:
    """Return what a model says about itself.

    Raises:
        SettingsError: Its kind cannot be known, or its files contradict themselves.
        CheckpointError: It is not on this machine, or its files are damaged.
    """
    return _described(name, None, None, '', '')


def made_hub_card(content: Any, path: Path) -> HubCard:
    """Return the model of a card, which states the kind of its output and the rule to meters.

    Raises:
        SettingsError: It is incomplete or contradicts itself or the model.
        CheckpointError: See `read_hub_card`.
    """
    fields = CardFields(content, f'card {path}')
    name = read_hub_name(fields.text('model', 'give hf: and a model'), path.parent)
    for key in ('input', 'size'):
        if fields.has(key):
            raise fields.error(f'has {key}, which {PROCESSOR} of {name} states', 'leave it out')
    kinds = [kind.value for kind in OutputKind]
    output = fields.section('output', f'give its kind, one of {", ".join(kinds)}')
    kind = OutputKind(output.text('kind', f'give one of {", ".join(kinds)}', kinds))
    output.finish()
    meters = read_meters(fields.section('meters', 'give the rule: how it becomes meters'), kind)
    stated = OutputMeaning(kind, meters, read_range(fields, kind))
    license, source = fields.optional_text('license', ''), fields.optional_text('source', '')
    fields.finish()
    return _described(name, path, stated, license, source)


def hub_license(folder: Path) -> str:
    """Return the license that the model card of a folder states, '' if none can be read."""
    card = folder / MODEL_CARD
    if not card.is_file():
        return ''
    try:
        with parsing(card, 'model card', CheckpointError):
            metadata = hub.metadata_load(card) or {}
    except CheckpointError:
        return ''
    stated, name = metadata.get('license'), metadata.get('license_name')
    if isinstance(stated, list) and len(stated) == 1:
        (stated,) = stated
    if not stated:
        return ''
    # Aliases make a few lines stand for any number of values.
    said, called = (one if isinstance(one, str) else shown(one) for one in (stated, name))
    return f'{said} ({called})' if name else _SPDX.get(said.lower(), said)


def _described(
    name: HubName, path: Path | None, stated: OutputMeaning | None, license: str, source: str
) -> HubCard:
    folder = find_folder(name)
    config = CardFields(_json(folder / CONFIG), f'{CONFIG} of {name}')
    model_type = _require_depth(config)
    meaning = stated or find_meaning(model_type, config, name.repository)
    if meaning is None:
        why = WHY_UNKNOWN.get(model_type, f'models of type {model_type!r} are not known here')
        raise SettingsError(
            f'what {name} predicts cannot be known: {why}',
            f'write a card with these lines and name it in network:\n'
            f'{CARD_LINES.format(model=name)}',
        )
    published = hub_license(folder)
    if license and published and license != published:
        raise SettingsError(
            f'card {path} states license {license}, and {MODEL_CARD} of {name} {published}',
            'leave it out of the card',
        )
    return HubCard(
        path,
        str(name),
        folder,
        model_type,
        license or published,
        read_processor(_json(folder / PROCESSOR), f'{PROCESSOR} of {name}'),
        *meaning,
        model_type == 'depth_pro' and config.flag('use_fov_model', False),
        source,
    )


def _require_depth(config: CardFields) -> str:
    """Return the type of a model; raise `SettingsError` unless it is a model for depth."""
    if config.has('auto_map') and config.value('auto_map', '') is not None:
        raise config.error(
            'names code that comes with the model (auto_map), which is never run',
            'take a model whose class transformers itself has',
        )
    model_type = config.text('model_type', 'save the model there again')
    if model_type == 'chmv2':
        raise config.error('is of a model that predicts heights above ground from an aircraft')
    named = config.value('architectures', '') if config.has('architectures') else None
    wanted = CLASSES.get(model_type)
    if named and wanted and named != [wanted]:
        raise config.error(f'is of architectures {shown(named)}', f'take a {wanted}')
    return model_type


def _json(path: Path) -> Any:
    if not path.is_file():
        raise CheckpointError(
            f'{path} does not exist',
            'save model and image processor there: model.save_pretrained(FOLDER), '
            'processor.save_pretrained(FOLDER)',
        )
    with parsing(path, 'JSON file', CheckpointError, 'fetch the model again'):
        return json.loads(read_bytes(path, MOST_BYTES, CheckpointError))
