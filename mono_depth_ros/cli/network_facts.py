"""What `mono_depth networks show` says of a network."""

from typing import Any

Facts = list[tuple[str, str]]


def card_facts(card: Any) -> Facts:
    """Return what the card of an ONNX file says, as names and texts."""
    facts = [
        ('card', str(card.path)),
        ('model', str(card.model)),
        ('license', card.license or 'not stated'),
        *_input_facts(card),
        ('depth', f'{card.output}: {card.output_kind.value}'),
        *_meters_facts(card),
    ]
    if card.invalid is not None:
        side = 'above' if card.invalid.is_above else 'below'
        facts.append(('invalid', f'{card.invalid.name} {side} {card.invalid.threshold:g}'))
    if card.spread is not None:
        facts.append(('spread', f'{card.spread.name} in {card.spread.unit}'))
    if card.source:
        facts.append(('source', card.source))
    return facts


def _input_facts(card: Any) -> Facts:
    image, size = card.input, card.size
    if size.fixed is None:
        shape = f'{size.side} side {size.length} px, multiples of {size.multiple}'
    else:
        shape = f'{size.fixed[1]}x{size.fixed[0]} px, {size.fit}'
    camera = 'needed' if card.needs_camera else 'not needed'
    if card.camera is not None:
        camera += f', {card.camera.form} as {card.camera.name}'
    return [
        ('image', f'{image.name}, {image.order} {image.layout}: {_normalized(image)}'),
        ('size', shape),
        ('camera', camera),
    ]


def hub_facts(card: Any) -> Facts:
    """Return what a model of transformers says, as names and texts."""
    processor = card.processor
    size, shape = processor.size, 'as the image'
    if size.target is not None:
        fit = 'aspect kept' if size.keeps_aspect else 'stretch'
        shape = f'{size.target[1]}x{size.target[0]} px, {fit}'
    shape += f', multiples of {size.multiple}' if size.multiple > 1 else ''
    shape += f', padded to multiples of {size.padded_multiple}' if size.padded_multiple > 1 else ''
    shape += ', with a border of its reflection' if processor.is_reflected else ''
    camera = 'needed' if card.needs_camera else 'not needed'
    camera = 'used; without one it is estimated' if card.estimates_focal else camera
    facts = [
        *([('card', str(card.path))] if card.path is not None else []),
        ('model', card.model),
        ('type', card.model_type),
        ('license', card.license or 'not stated'),
        ('image', f'rgb nchw: {_normalized(processor)}'),
        ('size', shape),
        ('camera', camera),
        ('depth', card.output_kind.value),
        *_meters_facts(card),
    ]
    return [*facts, ('source', card.source)] if card.source else facts


def _meters_facts(card: Any) -> Facts:
    rule = {n: v for n, v in vars(card.meters).items() if v and n != 'rule'}
    numbers = ', '.join(f'{name} {value:g}' for name, value in rule.items())
    facts = [('meters', f'{card.meters.rule} {numbers}'.strip())]
    if card.depth_range is not None:
        facts.append(('range', '{:g} to {:g} m'.format(*card.depth_range)))
    return facts


def _normalized(image: Any) -> str:
    row = [f'{value:g}' for value in (*image.mean, *image.std)]
    return f'({image.scale:g} value - [{", ".join(row[:3])}]) / [{", ".join(row[3:])}]'
