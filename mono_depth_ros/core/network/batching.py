"""Run work on several images together, so that the network sees those of one shape at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from ..devices import Download
from .predicted_frame import Answer, PredictedFrame, Predicting, PredictionRequest, predict_frames


def alone(work: Predicting[Answer]) -> Answer:
    """Return what work on one image comes to."""
    (answer,) = run_together([work])
    return answer


def run_together(works: Sequence[Predicting[Answer]]) -> list[Answer]:
    """Return what works come to, each begun and then each ended in their order.

    What is asked for at the same time, of one network, with images of one shape and outputs of
    one size, is predicted at once. What the network raises is raised inside of that image's work.

    Raises:
        Exception: Whatever a work raises; the others are left where they are.
    """
    answers: dict[int, Answer] = {}
    left = dict(enumerate(works))
    while left:
        left = _advance(left, answers)
    return [answers[place] for place in range(len(works))]


class Overlap:
    """Runs works as `run_together` does, and begins the next ones before it ends the last.

    A GPU copies the outputs of one image while it predicts the next, and the CPU sends messages
    meanwhile. On a CPU no work waits for a download, so that each ends in the call that began it.
    """

    def __init__(self) -> None:
        self._left: dict[int, Predicting[None]] = {}

    def begin(self, works: Sequence[Predicting[None]]) -> None:
        """Run works until each has ended or waits for its download.

        Those of the call before end as soon as the network has been asked for these.
        """
        left = _advance(dict(enumerate(works)), {}, self.finish)
        self.finish()
        self._left = left

    def finish(self) -> None:
        """End the works that wait for their downloads, in their order."""
        while self._left:
            left, self._left = self._left, {}
            self._left = _advance(left, {})


def _advance(
    works: Mapping[int, Predicting[Answer]],
    answers: dict[int, Answer],
    meanwhile: Callable[[], None] = lambda: None,
) -> dict[int, Predicting[Answer]]:
    """Run works by number until each has ended or waits for a download; return those that wait.

    Calls `meanwhile` each time when the network has been asked and before the works go on.
    """
    given: dict[int, PredictedFrame | Exception | None] = dict.fromkeys(works)
    requests: dict[int, PredictionRequest] = {}
    downloading: dict[int, Predicting[Answer]] = {}
    while given:
        for number, prediction in given.items():
            try:
                asked = _go_on(works[number], prediction)
            except StopIteration as end:
                answers[number] = end.value
                continue
            if isinstance(asked, PredictionRequest):
                requests[number] = asked
            else:
                downloading[number] = works[number]
        given = {}
        if requests:
            oldest = _kind(next(iter(requests.values())))
            group = [number for number, request in requests.items() if _kind(request) == oldest]
            predictions = _predicted([requests.pop(number) for number in group])
            given = dict(zip(group, predictions, strict=True))
            meanwhile()
    return dict(sorted(downloading.items()))


def _go_on(
    work: Predicting[Answer], given: PredictedFrame | Exception | None
) -> PredictionRequest | Download[Any]:
    """Have work go on with what it asked for, and return what it asks for next."""
    if given is None:
        return next(work)
    return work.throw(given) if isinstance(given, Exception) else work.send(given)


def _kind(request: PredictionRequest) -> tuple[int, torch.Size, tuple[int, int]]:
    """Return what requests must have in common to be predicted at once."""
    return id(request.estimator), request.image.image.shape, request.image.size


@torch.inference_mode()
def _predicted(requests: Sequence[PredictionRequest]) -> list[PredictedFrame | Exception]:
    """Return a prediction of each, or why there is none; one by one if all at once fail."""
    try:
        return [*predict_frames(requests)]
    except Exception as error:  # of one image, or of memory that is too small for several
        if len(requests) == 1:
            return [error]
    return [given for request in requests for given in _predicted([request])]
