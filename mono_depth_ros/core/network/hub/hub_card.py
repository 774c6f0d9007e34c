"""A model of transformers, as its files and, where they do not suffice, a card describe it."""

from dataclasses import dataclass, replace
from pathlib import Path

from ...errors import CheckpointError
from ...types import PredictionKind
from ..cards.network_card import require_license
from ..cards.output_kind import MetersRule, OutputKind, is_scaled_by_camera, needs_camera
from ..cards.placement import Placement, Size
from .hub_files import weight_files
from .image_processor import ImageProcessor

CARD_LINES = """model: {model}
output: {{kind: relative_inverse_depth}}
meters: {{rule: fit}}
or, if it predicts depth in meters,
model: {model}
output: {{kind: depth}}
meters: {{rule: metric}}"""
"""What to write where the kind of the output cannot be known."""


@dataclass(frozen=True)
class HubCard:
    """A model of transformers; see docs/networks.md.

    Attributes:
        path: Of the card, None where there is none.
        model: Its name, with `hf:`.
        folder: That holds its files.
        model_type: As config.json states it.
        license: SPDX identifier where it is known to allow commercial use, else what is stated,
            '' for nothing.
        depth_range: [m], what is outside is unknown; None for no limits.
        estimates_focal: Whether it finds the focal length where the camera is not known.
        source: Where it comes from, '' if the card does not say.
    """

    path: Path | None
    model: str
    folder: Path
    model_type: str
    license: str
    processor: ImageProcessor
    output_kind: OutputKind
    meters: MetersRule
    depth_range: tuple[float, float] | None
    estimates_focal: bool
    source: str

    @property
    def kind(self) -> PredictionKind:
        """See `OutputKind.network_kind`."""
        return self.output_kind.network_kind

    @property
    def needs_camera(self) -> bool:
        """Whether its meters depend on the camera."""
        return needs_camera(self.output_kind, self.meters)

    @property
    def is_scaled_by_camera(self) -> bool:
        """See `NetworkCard`."""
        return is_scaled_by_camera(self.output_kind, self.meters)

    @property
    def fixed_size(self) -> Size | None:
        """(height, width) of the input of whatever image [px]; None if it follows the image."""
        return self.processor.size.fixed

    def place(self, height: int, width: int) -> Placement:
        """Return where an image of that size [px], with its border, lies in the input."""
        return self.processor.place(height, width)

    @property
    def is_here(self) -> bool:
        """Whether its weights are on this machine."""
        try:
            self.require_model()
        except CheckpointError:
            return False
        return True

    @property
    def kind_remedy(self) -> str:
        """What to do if `output_kind` is wrong."""
        if self.path is not None:
            return f'set output.kind in {self.path}'
        return f'write a card with the right one and name it in network:\n{self.lines}'

    @property
    def lines(self) -> str:
        """The lines of a card for this model."""
        return CARD_LINES.format(model=self.model)

    def sized(self, input_size: int) -> 'HubCard':
        """Return it with `input_size` as the shorter side of the input [px]; 0 = as it is.

        Raises:
            SettingsError: The input has a fixed size.
        """
        return replace(self, processor=self.processor.sized(input_size, self.model))

    def require_license(self, accept_noncommercial: bool) -> None:
        """Raise `LicenseError` unless commercial use is allowed, or the license was accepted."""
        require_license(self.model, self.license, accept_noncommercial)

    def require_model(self) -> None:
        """Raise `CheckpointError` if its weights are not on this machine, or damaged."""
        weight_files(self.folder)
