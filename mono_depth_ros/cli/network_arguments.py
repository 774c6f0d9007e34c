"""Arguments that choose the network, as every command that runs one has them."""

import argparse
from typing import Any

from ..core.network.estimator import EstimatorSettings
from ..core.settings import described


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare an argument for each setting of the estimator; what is not given is None."""
    group = parser.add_argument_group('network')
    for name, info, default in described(EstimatorSettings()):
        flag = f'--{name.replace("_", "-")}'
        if isinstance(default, bool):
            group.add_argument(flag, action='store_true', default=None, help=info.description)
            continue
        shown = '' if default in ('', 0) else f' (default: {default})'
        group.add_argument(
            flag,
            type=type(default),
            choices=info.choices or None,
            metavar=None if info.choices else name.rpartition('_')[2].upper(),
            help=info.description + shown,
        )


def network_values(args: argparse.Namespace) -> dict[str, Any]:
    """Return what was given, by the names of the settings."""
    names = [name for name, _, _ in described(EstimatorSettings())]
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}
