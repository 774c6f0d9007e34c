"""What the launch files share: `mono.launch.py` included, and arguments that nothing declares."""

from difflib import get_close_matches

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.logging import get_logger

from .paths import share_directory

_OF_LAUNCH = {
    *('launch-prefix', 'launch-prefix-filter', 'emulate_tty'),
    *('sigterm_timeout', 'sigkill_timeout'),
    *('ros_namespace', 'ros_remaps', 'ros_params', 'global_params'),
}
_KNOWN = 'mono_depth_arguments'
_NEAR, _SAME = 0.6, 0.8
"""Similarity of a name to suggest, and of one that a bringup can only have meant for us."""


def mono_launch() -> IncludeLaunchDescription:
    """Return `mono.launch.py`, which takes the arguments of the file that includes it as well."""
    path = share_directory() / 'launch' / 'mono.launch.py'
    return IncludeLaunchDescription(PythonLaunchDescriptionSource(str(path)))


def warning_of_unknown(*entities: LaunchDescriptionEntity) -> LaunchDescription:
    """Return a description that first warns of arguments which none of its entities declares."""
    declared = {a.name for a in LaunchDescription(entities).get_launch_arguments()}
    return LaunchDescription([OpaqueFunction(function=_warn, args=[declared]), *entities])


def _warn(context: LaunchContext, declared: set[str]) -> list[LaunchDescriptionEntity]:
    # A file that includes this one has judged what it was given, and declares its own.
    known = context.get_locals_as_dict().get(_KNOWN, _OF_LAUNCH) | declared
    given = set(context.launch_configurations)
    context.extend_globals({_KNOWN: known | given})
    typed = {argument.partition(':=')[0] for argument in context.argv}
    for name in sorted(given - known):
        # The other arguments of a bringup get here, too.
        nearest = get_close_matches(name, declared, 1, _NEAR if name in typed else _SAME)
        if nearest or name in typed:
            hint = f'; did you mean {nearest[0]}?' if nearest else ''
            get_logger('mono_depth').warning(f'nothing takes the launch argument {name}{hint}')
    return []
