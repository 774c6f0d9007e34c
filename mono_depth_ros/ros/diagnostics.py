"""What the node tells about itself: its health, and that of what it depends on."""

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from ..core.alignment import Aligner
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


def alignment_values(aligner: Aligner, stamp_ns: int) -> dict[str, str]:
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


def alignment_array(aligner: Aligner, stamp: Time, name: str) -> DiagnosticArray:
    """Return the message for `~/alignment` after a measurement of this stamp."""
    level, message = DiagnosticStatus.OK, 'aligned'
    if aligner.refusal:
        level, message = DiagnosticStatus.WARN, aligner.refusal
    values = alignment_values(aligner, stamp.sec * 1_000_000_000 + stamp.nanosec)
    return diagnostic_array(stamp, f'{name}: alignment', level, message, values)


def diagnostic_array(
    stamp: Time, name: str, level: bytes, message: str, values: dict[str, str]
) -> DiagnosticArray:
    """Return the message for `/diagnostics`."""
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    status = DiagnosticStatus(
        level=level, name=name, message=message, hardware_id='mono_depth', values=pairs
    )
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array
