"""Run work on several images together, so that the network sees those of one shape at once."""

from collections.abc import Sequence

import torch

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
    given: dict[int, PredictedFrame | Exception | None] = dict.fromkeys(range(len(works)))
    waiting: dict[int, PredictionRequest] = {}
    while given:
        for place, prediction in given.items():
            try:
                waiting[place] = _go_on(works[place], prediction)
            except StopIteration as end:
                answers[place] = end.value
        given = {}
        if waiting:
            oldest = _kind(next(iter(waiting.values())))
            group = [place for place, request in waiting.items() if _kind(request) == oldest]
            predictions = _predicted([waiting.pop(place) for place in group])
            given = dict(zip(group, predictions, strict=True))
    return [answers[place] for place in range(len(works))]


def _go_on(
    work: Predicting[Answer], given: PredictedFrame | Exception | None
) -> PredictionRequest:
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
