"""What the node tells about itself: its health, and that of what it depends on."""

from collections.abc import Iterable, Mapping

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from sensor_msgs.msg import CameraInfo

from ..core.errors import CalibrationError
from ..core.scale.frame_scale import FrameScale, told
from .qos import Mismatch
from .statistics import Statistics


def diagnose(statistics: Statistics, state: str, trouble: str, fresh: bool) -> tuple[bytes, str]:
    """Return level and message of the node's health.

    `state` is what the node does while it is not active, '' when active; `trouble` why it could
    not load its network or change its state, '' if it could; `fresh`, whether images arrive.
    """
    if trouble:
        return DiagnosticStatus.ERROR, trouble
    if state:
        return DiagnosticStatus.WARN, state
    if not fresh:
        return DiagnosticStatus.WARN, 'no image arrives'
    if statistics.is_idle:
        return DiagnosticStatus.OK, 'idle: nobody listens to any output'
    stamp_ns, images = statistics.standing
    standing = f'{images} images in a row have the stamp {stamp_ns / 1e9:.9f} s'
    if statistics.last_failure:
        return DiagnosticStatus.ERROR, f'frame lost: {statistics.last_failure}'
    if statistics.reason_unknown:
        return DiagnosticStatus.ERROR, f'depth is not known: {statistics.reason_unknown}'
    if statistics.reason_withheld:
        return DiagnosticStatus.WARN, statistics.reason_withheld
    if images > 1:
        remedy = 'have the camera driver stamp every image with its own time'
        return DiagnosticStatus.WARN, f'stamps do not advance: {standing}; {remedy}'
    return DiagnosticStatus.OK, 'ok'


def alignment_values(scale: FrameScale, silences: Mapping[str, str]) -> dict[str, str]:
    """Return scale, shift, quality and age [s] of the latest fit, and what each source does."""
    values = {'refused': scale.refusal} if scale.refusal else {}
    used = scale.state.sources if scale.state is not None else ()
    for name, verdict in (dict(scale.verdicts) | dict(silences)).items():
        values[f'source {name}'] = verdict or ('used' if name in used else 'not needed')
    state = scale.state
    if state is None:
        return values
    return values | {
        'scale': f'{state.alignment.scale:.6g}',
        f'shift [{state.alignment.quantity.unit}]': f'{state.alignment.shift:.6g}',
        'inlier ratio': f'{state.inlier_ratio:.3f}',
        'residual': f'{state.residual:.4f}',
        'uncertainty': f'{state.uncertainty:.4f}',
        'covariance': ', '.join(
            f'{state.covariance[i, j]:.4g}' for i, j in ((0, 0), (0, 1), (1, 1))
        ),
        'points': str(len(state.points)),
        'age [s]': f'{scale.age_s:.3f}',
    }


def alignment_status(
    name: str, scale: FrameScale, silences: Mapping[str, str]
) -> DiagnosticStatus:
    """Return the health of the alignment, by the scale of the newest image.

    `silences` says of sources that do not send since when, and what to ask.
    """
    silent = told(silences)
    level, message = DiagnosticStatus.OK, 'aligned'
    if scale.reason_missing and scale.applied is not None:
        level = DiagnosticStatus.WARN
        message = f"{scale.reason_missing}; the network's own depth stands in"
    elif scale.reason_missing:
        level, message = DiagnosticStatus.ERROR, scale.reason_missing
        message += f'; {silent}' if silent else ''
    elif scale.refusal:
        level, message = DiagnosticStatus.WARN, f'newest measurement refused: {scale.refusal}'
    elif troubles := _troubles(scale, silences):
        level, message = DiagnosticStatus.WARN, f'aligned{_by(scale)}. {troubles}'
    elif scale.state is not None and scale.state.note:
        message = f'aligned: {scale.state.note}'
    return status(f'{name}: alignment', level, message, alignment_values(scale, silences))


def _by(scale: FrameScale) -> str:
    sources = scale.state.sources if scale.state is not None else ()
    return f' by {" and ".join(sources)}' if sources else ''


def _troubles(scale: FrameScale, silences: Mapping[str, str]) -> str:
    """Return what keeps sources from being used, each after its name; '' if nothing does."""
    return '. '.join(f'{name}: {why}' for name, why in (scale.left_out | dict(silences)).items())


def alignment_array(
    scale: FrameScale, silences: Mapping[str, str], stamp_ns: int, name: str
) -> DiagnosticArray:
    """Return the message for `~/alignment` after a measurement of this stamp [ns]."""
    level, message = DiagnosticStatus.OK, 'aligned'
    if scale.refusal:
        level, message = DiagnosticStatus.WARN, scale.refusal
    elif troubles := _troubles(scale, silences):
        level, message = DiagnosticStatus.WARN, f'aligned{_by(scale)}. {troubles}'
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    entry = status(f'{name}: alignment', level, message, alignment_values(scale, silences))
    return diagnostic_array(Time(sec=seconds, nanosec=nanoseconds), [entry])


def camera_info_status(
    name: str, info: CameraInfo | None, faults: Iterable[CalibrationError]
) -> DiagnosticStatus:
    """Return the health of the camera_info: its numbers, and what is wrong with it."""
    values = {}
    if info is not None:
        values = {
            'size [px]': f'{info.width}x{info.height}',
            'fx, fy, cx, cy of P [px]': ', '.join(f'{info.p[i]:.2f}' for i in (0, 5, 2, 6)),
            'distortion model': info.distortion_model,
            'frame_id': info.header.frame_id,
        }
    level = DiagnosticStatus.OK
    found = list(faults)
    if found:
        is_fatal = any(fault.is_fatal for fault in found)
        level = DiagnosticStatus.ERROR if is_fatal else DiagnosticStatus.WARN
    message = '. '.join(map(str, found)) or ('ok' if info is not None else 'none')
    return status(f'{name}: camera_info', level, message, values)


def qos_status(name: str, node: str, mismatches: list[Mismatch]) -> DiagnosticStatus:
    """Return who is not matched with the node of this full name; an error if we hear nothing."""
    level, message = DiagnosticStatus.OK, 'all matched'
    if mismatches:
        is_deaf = any(found.subscriber == node for found in mismatches)
        level = DiagnosticStatus.ERROR if is_deaf else DiagnosticStatus.WARN
        message = '. '.join(f'{found.what}; {found.remedy(node)}' for found in mismatches)
    values = {found.topic: found.policy for found in mismatches}
    return status(f'{name}: quality of service', level, message, values)


def status(name: str, level: bytes, message: str, values: Mapping[str, str]) -> DiagnosticStatus:
    """Return one line of diagnostics."""
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticStatus(
        level=level, name=name, message=message, hardware_id='mono_depth', values=pairs
    )


def diagnostic_array(stamp: Time, statuses: Iterable[DiagnosticStatus]) -> DiagnosticArray:
    """Return the message that carries them."""
    array = DiagnosticArray(status=list(statuses))
    array.header.stamp = stamp
    return array
