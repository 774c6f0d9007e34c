"""What the node tells about itself: its health, and that of what it depends on."""

from collections.abc import Iterable, Mapping

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from sensor_msgs.msg import CameraInfo

from ..core.scale.alignment import AlignmentFilter
from .camera_info_faults import Fault
from .qos import Mismatch
from .statistics import Statistics


def diagnose(statistics: Statistics, state: str, trouble: str, fresh: bool) -> tuple[bytes, str]:
    """Return level and message of the node's health.

    Args:
        statistics: The counts so far.
        state: What the node is doing, if it is not active; '' when active.
        trouble: Why the node could not load its network or change its state; '' if it could.
        fresh: Whether an image has come lately.
    """
    if trouble:
        return DiagnosticStatus.ERROR, trouble
    if state:
        return DiagnosticStatus.WARN, state
    if not fresh:
        return DiagnosticStatus.WARN, 'no image arrives'
    if statistics.is_idle:
        return DiagnosticStatus.OK, 'idle: nobody listens to any output'
    if statistics.last_failure:
        return DiagnosticStatus.ERROR, f'frame lost: {statistics.last_failure}'
    if statistics.unknown:
        return DiagnosticStatus.ERROR, f'depth is not known: {statistics.unknown}'
    return DiagnosticStatus.OK, 'ok'


def alignment_values(aligner: AlignmentFilter, stamp_ns: int) -> dict[str, str]:
    """Return scale, shift and quality of the alignment in force, its age [s] at a stamp [ns]."""
    values = {'refused': aligner.refusal} if aligner.refusal else {}
    state = aligner.state
    if state is None:
        return values
    return values | {
        'scale': f'{state.alignment.scale:.6g}',
        'shift [1/m]': f'{state.alignment.shift:.6g}',
        'inlier ratio': f'{state.inlier_ratio:.3f}',
        'residual': f'{state.residual:.4f}',
        'points': str(state.points),
        'age [s]': f'{(stamp_ns - state.stamp_ns) / 1e9:.3f}',
    }


def alignment_status(
    name: str, aligner: AlignmentFilter, stamp_ns: int, stands_in: bool
) -> DiagnosticStatus:
    """Return the health of the alignment for an image of this stamp [ns].

    Args:
        name: Of the node.
        aligner: The fits.
        stamp_ns: Of the newest image [ns].
        stands_in: Whether the network's own depth is used where no fit is live.
    """
    level, message = DiagnosticStatus.OK, 'aligned'
    alignment, why = aligner.current(stamp_ns)
    if alignment is None and stands_in:
        level, message = DiagnosticStatus.WARN, f"{why}; the network's own depth stands in"
    elif alignment is None:
        level, message = DiagnosticStatus.ERROR, why
    elif aligner.refusal:
        level, message = DiagnosticStatus.WARN, f'newest measurement refused: {aligner.refusal}'
    elif aligner.state is not None and aligner.state.note:
        message = f'aligned: {aligner.state.note}'
    return status(f'{name}: alignment', level, message, alignment_values(aligner, stamp_ns))


def alignment_array(aligner: AlignmentFilter, stamp: Time, name: str) -> DiagnosticArray:
    """Return the message for `~/alignment` after a measurement of this stamp."""
    level, message = DiagnosticStatus.OK, 'aligned'
    if aligner.refusal:
        level, message = DiagnosticStatus.WARN, aligner.refusal
    values = alignment_values(aligner, stamp.sec * 1_000_000_000 + stamp.nanosec)
    return diagnostic_array(stamp, [status(f'{name}: alignment', level, message, values)])


def camera_info_status(
    name: str, info: CameraInfo | None, faults: list[Fault]
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
    if faults:
        is_fatal = any(fault.is_fatal for fault in faults)
        level = DiagnosticStatus.ERROR if is_fatal else DiagnosticStatus.WARN
    message = '. '.join(map(str, faults)) or ('ok' if info is not None else 'none')
    return status(f'{name}: camera_info', level, message, values)


def qos_status(name: str, node: str, mismatches: list[Mismatch]) -> DiagnosticStatus:
    """Return who is not matched for the quality of service; an error if we hear nothing of it.

    Args:
        name: Of the node, without its first slash.
        node: Its full name.
        mismatches: Each a publisher and a subscription, one of which is the node's.
    """
    level, message = DiagnosticStatus.OK, 'all matched'
    if mismatches:
        is_deaf = any(found.subscriber == node for found in mismatches)
        level = DiagnosticStatus.ERROR if is_deaf else DiagnosticStatus.WARN
        message = '. '.join(f'{found.what}; {found.remedy(node)}' for found in mismatches)
    values = {found.topic: found.clash.policy for found in mismatches}
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
