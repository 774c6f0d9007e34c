"""Predictions that are estimated when they are read, as `mono_depth estimate` does."""

import argparse
from collections.abc import Iterator
from functools import partial

from ...core.errors import EvaluationError
from ...core.files.depth_files import Map
from ...core.network.estimator import load_estimator
from ...core.pipeline import Output, Pipeline
from ...core.types import PredictionKind
from ...offline.images import ImageSource, LazyFrame
from ...offline.input_files import find_inputs, open_inputs
from ...offline.measured_pipeline import MeasuredPipeline
from ..common_arguments import chosen_camera
from ..estimate_arguments import estimation_settings, image_reading, is_metric
from ..measurement_arguments import chosen_measuring
from .depth_maps import LazyMap, image_map


class EstimatedMaps:
    """Depth of images, in meters if anything gives them.

    Args:
        steps: Estimates it.
        source: The images.
    """

    def __init__(self, steps: MeasuredPipeline, source: ImageSource) -> None:
        self._steps = steps
        self._source = source

    @classmethod
    def of_arguments(cls, args: argparse.Namespace) -> 'EstimatedMaps':
        """Return the depth of the images that arguments name.

        Raises:
            MonoDepthError: They are no images, or an argument is wrong.
        """
        source = _only_source(args)
        settings = estimation_settings(args, [source])
        camera = chosen_camera(args, settings.pipeline.assume_rectified)
        alignment = settings.pipeline.alignment
        measuring = chosen_measuring(args, [source], alignment, image_reading(args))
        pipeline = Pipeline(load_estimator(settings.network), settings.pipeline)
        return cls(MeasuredPipeline(pipeline, camera, measuring, is_metric(settings)), source)

    @property
    def quantity(self) -> PredictionKind:
        """What the maps are."""
        if self._steps.is_metric:
            return PredictionKind.DEPTH
        return self._steps.pipeline.estimator.kind

    def maps(self) -> list[LazyMap] | Iterator[LazyMap]:
        """Return a map for each image; a list for pictures, which need not be in order."""
        self._steps.begin(self._source)
        maps = (image_map(item, partial(self._read, item)) for item in self._source.items())
        return list(maps) if self._source.kind == 'picture' else maps

    def notes(self) -> list[str]:
        """Return what a user should know of what was measured so far."""
        return self._steps.notes()

    def _read(self, item: LazyFrame) -> Map:
        steps = self._steps
        wanted = Output.DEPTH if steps.is_metric else Output.RELATIVE_INVERSE_DEPTH
        result = steps.step(self._source, steps.load(item), wanted)
        found = result.depth if steps.is_metric else result.relative_inverse_depth
        assert found is not None, 'the pipeline was asked for it'
        return 1 / found if self.quantity is PredictionKind.RELATIVE_DEPTH else found


def _only_source(args: argparse.Namespace) -> ImageSource:
    """Return the images, pictures or a bag."""
    found = find_inputs([str(args.predictions)])
    failures = found.failures
    sources = open_inputs(
        found.files, image_reading(args), args.topic, lambda *failure: failures.append(failure)
    )
    for path, reason in failures:
        raise EvaluationError(reason if reason.startswith(path) else f'{path}: {reason}')
    kinds = [source.kind for source in sources if source is not None]
    source = sources[0] if len(sources) == 1 else None
    if source is None or source.kind == 'video':
        raise EvaluationError(
            f'{args.predictions} is {", ".join(kinds)}; depth is estimated of pictures, or of one '
            'bag, to be evaluated'
        )
    return source
