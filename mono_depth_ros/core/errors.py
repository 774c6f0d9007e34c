"""Errors of the package: each message names the offending value and the remedy."""


class MonoDepthError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        what: What is wrong, with the value that shows it.
        remedy: What to do about it, '' if `what` says so already.
    """

    def __init__(self, what: str = '', remedy: str = '') -> None:
        super().__init__(f'{what}; {remedy}' if remedy else what)
        self.what = what
        self.remedy = remedy


class SettingsError(MonoDepthError, ValueError):
    """A setting has an invalid value, or two settings contradict each other."""


class DeviceError(MonoDepthError):
    """The requested device or precision is not available on this machine."""


class CheckpointError(MonoDepthError):
    """A checkpoint is missing, damaged, or of another network than asked for."""


class LicenseError(CheckpointError):
    """The license of a checkpoint has not been accepted."""


class ImageError(MonoDepthError, ValueError):
    """An image cannot be read as what it claims to be."""


class CalibrationError(MonoDepthError, ValueError):
    """A camera calibration is missing, degenerate or does not fit its image.

    Args:
        what: What is wrong, with the value that shows it.
        remedy: What to do about it, '' if `what` says so already.
        is_fatal: Whether something that was asked for is missing because of it.
    """

    def __init__(self, what: str = '', remedy: str = '', is_fatal: bool = True) -> None:
        super().__init__(what, remedy)
        self.is_fatal = is_fatal


class ImplausibleCalibrationError(CalibrationError):
    """A camera calibration cannot be that of an image of the size that it states."""


class PointsError(MonoDepthError, ValueError):
    """A cloud of points cannot be read as what it claims to be."""


class AlignmentError(MonoDepthError):
    """A prediction cannot be aligned to what was measured."""


class TransformError(MonoDepthError):
    """Frames are not connected by TF, or not at the time asked for."""


class RecordingError(MonoDepthError):
    """A bag or video cannot be read, or does not hold what is asked of it."""


class EvaluationError(MonoDepthError, ValueError):
    """A prediction cannot be evaluated against the ground truth it was given."""
