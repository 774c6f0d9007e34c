"""Fast DDS settings for large messages: which environment a node is started with."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree  # nosec B405

# Up to Jazzy, from Kilted on; each ignores the other's.
PROFILE_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
FASTDDS_NAMESPACE = {'dds': 'http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles'}
# A segment takes 1.047 times its size, measured; queues and locks come on top.
SEGMENT_OVERHEAD = 1.06
PROCESS_OVERHEAD_BYTES = 2_000_000


@dataclass(frozen=True)
class Transport:
    """How to start a node for large messages.

    Attributes:
        message: What was decided and, where large messages will be slow, what to do about it.
        environment: Variables to set for the node's process; empty leaves Fast DDS as it is.
    """

    message: str
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_large(self) -> bool:
        """Whether the large segment will be used."""
        return bool(self.environment)


def large_transport(
    profile: Path,
    processes: int,
    environment: Mapping[str, str],
    shared_memory: Path = Path('/dev/shm'),  # nosec B108
) -> Transport:
    """Decide whether `processes` nodes can be started with the Fast DDS `profile`.

    Each process takes the profile's whole segment from shared memory at its start; where it does
    not fit, Fast DDS would drop shared memory altogether.

    Args:
        profile: The XML file; its shared-memory `segment_size` [byte] counts.
        processes: How many processes will be started with it.
        environment: The variables the nodes inherit; a profile set there stays.
        shared_memory: Where the segments are made.
    """
    middleware = environment.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    if 'fastrtps' not in middleware:
        return Transport(f'{middleware} does not read {profile.name}: left as it is')
    for name in PROFILE_VARIABLES:
        if environment.get(name):
            return Transport(f'{name} is set to {environment[name]} already: left as it is')
    needed = processes * bytes_per_process(profile)
    free = shutil.disk_usage(shared_memory).free if shared_memory.is_dir() else 0
    if free < needed:
        return Transport(
            f'{profile.name} needs {needed / 1e6:.0f} MB of shared memory for {processes} '
            f'process(es), and {shared_memory} has {free / 1e6:.0f} MB free: Fast DDS keeps its '
            'own settings, and large messages take longer or get lost. '
            'In Docker, start the container with --shm-size=512m or --ipc=host'
        )
    chosen = dict.fromkeys(PROFILE_VARIABLES, str(profile))
    return Transport(f'Fast DDS reads {profile}', chosen)


def bytes_per_process(profile: Path) -> int:
    """Return the shared memory [byte] that one process with this Fast DDS profile takes."""
    # The profile is our own; XML of strangers could be a bomb.
    root = ElementTree.parse(profile)  # nosec B314
    sizes = root.iterfind('.//dds:segment_size', FASTDDS_NAMESPACE)
    segments = sum(int(size.text or 0) for size in sizes)
    return int(segments * SEGMENT_OVERHEAD) + PROCESS_OVERHEAD_BYTES
