"""What each model is to the furnishing rules, and which models only the exam shows."""

import hashlib
import math
import random
import re
from collections.abc import Iterable

from .furniture_pack import PackedModel

HELD_OUT_SHARE = 0.15
_SPLIT_SEED = 'exam 2026'

_RULES: tuple[tuple[str, str, str], ...] = (
    ('person_sitting', 'Characters', r'^Sitting'),
    ('person_lying', 'Characters', r'^Lying'),
    ('person', 'Characters', r'male|Female|Boy|Girl|Mannequin'),
    ('animal', 'Characters', r''),
    ('car', 'Vehicles', r'Sedan|Ford|Peugeot|Renault|SUV|Seat|Smart|beetle|Van|Chevrolet'),
    ('large_vehicle', 'Vehicles', r'Bus|bus|Truck|Fork lift'),
    ('small_vehicle', 'Vehicles', r''),
    ('garage_door', 'Doors', r'Garage'),
    ('window', 'Doors', r'[Ww]indow(?! shutter)'),
    ('door', 'Doors', r'[Dd]oor'),
    ('road_marking', 'Exterior', r'Arrow|Parking|crossing'),
    ('tree', 'Exterior', r'Acacia|Bamboo|tree|pine|Pine|Ficus|beech|Cypress|maple|blossom|Poplar'),
    ('shrub', 'Exterior', r'Bush|[Hh]edge|Flower box|Plant box|Rock|Snowman'),
    ('garden_seat', 'Exterior', r'[Bb]ench|chair|bank|sofa|armchair|lounge|Relax'),
    ('garden_table', 'Exterior', r'[Tt]able'),
    ('outdoor_wall', 'Exterior', r'Air cond|Entry|faucet|Letters'),
    ('street_lamp', 'Lights', r'lamppost|Park light|Street l'),
    ('street_thing', 'Exterior', r'hydrant|trash|Mailbox|railing|Park'),
    ('_large', 'Exterior', r'Swimming pool|Barnum|Rails|goal|Shipping|swimming|sidewalk|column'),
    ('yard_thing', 'Exterior', r''),
    ('sofa', 'Living', r'[Ss]ofa|[Cc]ouch'),
    ('tv', 'Living', r'^TV( 16:9)?$'),
    ('wall_thing', 'Living', r'Wall flat TV'),
    ('office_chair', 'Office', r'[Cc]hair|seat'),
    ('armchair', 'Living', r'[Aa]rmchair|Puff|Ryokan'),
    ('bar_stool', '', r'^Bar (stool|chair)|^Stool'),
    ('chair', 'Living', r'[Cc]hair|[Ss]tool|bench|^Bench'),
    ('coffee_table', 'Living', r'Coffee table'),
    ('table', 'Living|Office', r'[Tt]able(?!t)(?! lamp)'),
    ('desk', 'Office', r'[Dd]esk'),
    ('bedside', 'Bedroom', r'Bedside'),
    ('bed', 'Bedroom', r'[Bb]ed$|Futon|Crib|sofa'),
    ('rug', '', r'rug|carpet|Bathmat|Doormat|Tatami'),
    ('cupboard', 'Bedroom', r'Wardrobe|Cupboard|Chest|Shelves|Changing|Dressing|Clothes rack'),
    ('bookcase', 'Living|Office', r'[Bb]ookcase|[Ss]helves|^Box|living room|Screen|White board'),
    ('sideboard', 'Living', r'TV stand|cabinet|Dresser|Fireplace|piano|Aquarium'),
    ('office_unit', 'Office', r'Filing|Safe|cooler|Dustbin'),
    ('kitchen_unit', 'Kitchen', r'[Ll]ower cab|[Dd]rawers|Sink|^Large stove'),
    ('kitchen_unit', 'Kitchen', r'Double oven|washing|Washing|dryer|Propane'),
    ('kitchen_tall', 'Kitchen', r'High cabinet|[Ff]ridge|Refrigerator'),
    ('kitchen_upper', 'Kitchen', r'[Uu]pper(?! corner)|Glass door|[Hh]ood'),
    ('kitchen_island', 'Kitchen', r'Island'),
    ('toilet', 'Bathroom', r'Toilets|Bidet'),
    ('washbasin', 'Bathroom', r'[Ww]ashbasin|[Vv]anity|lavatory'),
    ('bath', 'Bathroom', r'[Bb]ath$|bathtub|Shower stall'),
    ('ceiling_lamp', 'Lights', r'Ceiling|Chandelier|Hanging|Pendant|Fluorescent light'),
    ('wall_thing', 'Lights', r'Wall|Track'),
    ('curtain', '', r'^Curtain'),
    ('radiator', '', r'Radiator'),
    ('wall_thing', '', r'switch|plug|socket|[Ff]rame|Cuckoo|Dart|Intercom|^Emergency|Thermom'),
    ('wall_thing', '', r'internal|Internal|Towel rack|dispenser|Number lock|Urinal|Wall hanger'),
    ('_unused', '', r'[Cc]himney|Ceiling fan|railing|Fence|blind|hanger|Shipping|[Bb]ill|Smoke'),
    ('_unused', '', r'[Ss]hower|heater|Surveillance|CCTV|Porch|Outdoor lamp|Curtain|Escalator'),
    ('_unused', '', r'Track lights|strip|Wall lamp|Spiral|corner cab|Kitchen tools|^Hanging'),
    ('hall_thing', '', r'Pool table|Football table|Table tennis|Fitness|Treadmill|Flipper'),
    ('hall_thing', '', r'Abdominal|Indoor bike|Punching|Workbench|Grand piano|Furnace|Pallet'),
    ('hall_thing', '', r'Mower|ladder|Barrel|Crate|Wheelchair'),
)
"""Role, pattern of the category, pattern of the name; the first that fits counts."""


def role_of(model: PackedModel) -> str:
    """Return the role of a model; what no rule names is judged by its size."""
    entry = model.entry
    for role, category, name in _RULES:
        if re.search(category, entry.category) and re.search(name, entry.name):
            return role
    return _role_by_size(model)


def _role_by_size(model: PackedModel) -> str:
    width, depth, height = model.size
    words = f'{model.entry.name} {model.entry.tags}'
    is_plant = re.search(r'Plant|Flower|Tree|plant|Cactus|Yucca', words)
    if model.entry.category == 'Lights':
        return 'floor_lamp' if height > 1 else 'table_lamp'
    if model.entry.elevation > 0.5:
        return 'wall_thing'
    if is_plant:
        return 'floor_plant' if height > 0.5 else 'small_plant'
    if max(width, depth) < 0.06 or height < 0.015:
        return '_unused'
    if max(width, depth) < 0.55 and height < 0.6:
        return 'kitchen_thing' if model.entry.category == 'Kitchen' else 'small_thing'
    return 'floor_thing'


def held_out(models: Iterable[PackedModel]) -> set[str]:
    """Return the keys of models that training never shows: about 15 % of each role of three."""
    by_role: dict[str, list[str]] = {}
    for model in models:
        by_role.setdefault(role_of(model), []).append(model.entry.key)
    kept: set[str] = set()
    for keys in by_role.values():
        count = max(1, math.ceil(HELD_OUT_SHARE * len(keys))) if len(keys) >= 3 else 0
        kept.update(sorted(keys, key=_rank)[:count])
    return kept


def _rank(key: str) -> str:
    return hashlib.sha256(f'{_SPLIT_SEED} {key}'.encode()).hexdigest()


class ModelShelf:
    """The models of one side of the split, by role.

    Args:
        models: All models of the pack.
        exam: Whether to hold those of the exam, or those of training.
    """

    def __init__(self, models: list[PackedModel], exam: bool) -> None:
        kept_apart = held_out(models)
        self._by_role: dict[str, list[int]] = {}
        self.models = models
        for index, model in enumerate(models):
            if (model.entry.key in kept_apart) == exam:
                self._by_role.setdefault(role_of(model), []).append(index)

    def pick(self, rng: random.Random, role: str) -> int | None:
        """Return the index of any model of a role; None if there is none."""
        choices = self._by_role.get(role)
        return rng.choice(choices) if choices else None

    def roles(self) -> dict[str, list[int]]:
        """Return the indices of all models by role."""
        return self._by_role
