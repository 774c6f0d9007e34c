"""Our own networks as ONNX files without a card."""

import inspect
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..errors import CheckpointError, DeviceError, SettingsError
from .exportable import exportable
from .families import Network

_OPSET = 17
_MOST_BYTES = 2_000_000_000  # that a protocol buffer can hold


@dataclass(frozen=True)
class ExportedForm:
    """The form of an exported network.

    Attributes:
        size: (height, width) of its input [px]; None if it takes any, as PyTorch does.
        half: Whether it computes in half precision.
    """

    size: tuple[int, int] | None = None
    half: bool = False

    def require_multiple(self, multiple: int) -> None:
        """Raise `SettingsError` if the size is not positive and a multiple of that [px]."""
        if self.size is not None and (min(self.size) < 1 or any(n % multiple for n in self.size)):
            height, width = self.size
            raise SettingsError(
                f'size is {width}x{height} px; both sides must be multiples of {multiple}'
            )


def write_model(network: Network, form: ExportedForm, path: Path) -> None:
    """Write a network on the CPU, without a card: `image` (N, 3, H, W) -> `depth` (N, H, W).

    Raises:
        DeviceError: What exports ONNX files is missing.
        CheckpointError: The file would be larger than 2 GB.
    """
    _require_size(network, form)
    multiple = network.sampling.multiple
    shown = form.size or (2 * multiple, 3 * multiple)
    any_size = {'image': {0: 'batch', 2: 'height', 3: 'width'}, 'depth': {0: 'batch', 1: 'rows'}}
    any_size['depth'][2] = 'columns'
    options: dict[str, Any] = {'dynamic_axes': any_size if form.size is None else None}
    if 'dynamo' in inspect.signature(torch.onnx.export).parameters:
        # The other exporter takes ten times as long and records the number of images.
        options['dynamo'] = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')  # of sizes that become constants; those are tested
            torch.onnx.export(
                exportable(network),
                (torch.zeros(1, 3, *shown),),
                str(path),
                input_names=['image'],
                output_names=['depth'],
                opset_version=_OPSET,
                **options,
            )
        if form.half:
            _halve(path)
    except (ImportError, torch.onnx.errors.OnnxExporterError) as error:
        remedy = f'pip install onnx{" onnxruntime" if form.half else ""}'
        raise DeviceError(f'the network cannot be exported: {error}', remedy) from error


def _require_size(network: Network, form: ExportedForm) -> None:
    count = sum(parameter.numel() for parameter in network.parameters())
    size = count * (2 if form.half else 4)
    if size > _MOST_BYTES:
        raise CheckpointError(
            f'the network has {size / 1e9:.1f} GB, and an ONNX file of one piece at most 2',
            'take a smaller encoder' if form.half else 'take a smaller encoder, or --half',
        )


def _halve(path: Path) -> None:
    """Have the model compute in half precision; image and depth stay in single precision."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = convert_float_to_float16(onnx.load(path), keep_io_types=True)
    onnx.save(model, path)
