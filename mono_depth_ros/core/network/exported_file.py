"""The ONNX file of a network of ours: exported once, then kept."""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from ... import __version__
from ..cache_folder import cache_folder
from .families import Network
from .onnx_writer import ExportedForm, write_model


def file_name(encoder: str, sha256: str, max_depth: float | None) -> str:
    """Return the name of the file of a network: another one for all that changes the graph.

    The graph takes images of any size and is as PyTorch writes it; what a runtime makes of it
    for its processor is not kept. So neither is part of the name.

    Args:
        encoder: The network, version 1 of it told by its weights.
        sha256: Of its weights.
        max_depth: At which its head saturates [m]; None for a relative one.
    """
    facts = (encoder, sha256, max_depth, __version__, torch.__version__)
    return f'{encoder}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:24]}.onnx'


def exported_file(network: Network, name: str, spare: Path, is_renewed: bool = False) -> Path:
    """Return the file of a network, exported unless it is kept already.

    It lies in the cache of the user; where nothing can be written there, in the folder `spare`.
    Several processes may do so at once: a file is there when it is whole.

    Args:
        network: On the CPU, in single precision.
        name: See `file_name`.
        spare: A folder of the caller.
        is_renewed: Whether to export it though it is kept.

    Raises:
        DeviceError: What exports ONNX files is missing.
        CheckpointError: It would be larger than 2 GB.
        OSError: It can be written nowhere.
    """
    try:
        folder = cache_folder() / 'onnx'
        if not is_renewed and (folder / name).is_file():
            return folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return _written(network, folder / name)
    except (OSError, RuntimeError):  # read-only, full, of another user; no home
        return _written(network, spare / name)


def _written(network: Network, path: Path) -> Path:
    with TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / path.name
        write_model(network, ExportedForm(), part)
        return part.replace(path)
