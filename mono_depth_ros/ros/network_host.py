"""What the cameras of one process share: a worker thread, and the networks on it."""

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import torch
from rclpy.impl.rcutils_logger import RcutilsLogger

from ..core.network.batching import Overlap
from ..core.network.estimator import Estimator
from ..core.network.network_settings import EstimatorSettings
from ..core.network.predicted_frame import Predicting
from .network_loader import load_network
from .shared_state import Frame, LoadedNetwork
from .worker import Worker


class FrameWork(NamedTuple):
    """A frame, and what processes it."""

    frame: Frame
    process: Callable[[Frame], Predicting[None]]


class NetworkHost:
    """Owns the worker thread and every network that a camera has asked for.

    A camera's node owns the parameters that say which network it wants. Cameras whose parameters
    agree have one network in common; it is loaded for the first that asks and freed after the
    last has let go of it. Networks are used on the worker only.

    Attributes:
        worker: Takes frames from the cameras, those together that the network can see at once.
    """

    def __init__(self) -> None:
        overlap = Overlap()

        def begin(works: Sequence[FrameWork]) -> None:
            overlap.begin([work.process(work.frame) for work in works])

        self.worker: Worker[FrameWork] = Worker(
            begin, lambda work: work.frame.size, overlap.finish
        )
        self._networks: dict[EstimatorSettings, tuple[Estimator, LoadedNetwork]] = {}
        self._wanted: dict[Hashable, EstimatorSettings] = {}

    @property
    def loaded(self) -> list[EstimatorSettings]:
        """Settings of the networks that are loaded."""
        return list(self._networks)

    def obtain(
        self,
        camera: Hashable,
        settings: EstimatorSettings,
        logger: RcutilsLogger,
        progress: Callable[[int, int], None],
    ) -> tuple[Estimator, LoadedNetwork]:
        """Return the network of these settings, in place of the one that the camera had.

        Raises:
            MonoDepthError: Whatever `load_network` finds wrong.
        """
        self.release(camera)
        if settings in self._networks:
            logger.info(f'sharing {settings.label} with another camera')
        else:
            self._networks[settings] = load_network(settings, logger, progress)
        self._wanted[camera] = settings
        return self._networks[settings]

    def release(self, camera: Hashable) -> None:
        """Free the network that a camera had, unless others have it, too."""
        settings = self._wanted.pop(camera, None)
        if settings is not None and settings not in self._wanted.values():
            del self._networks[settings]
            torch.cuda.empty_cache()
