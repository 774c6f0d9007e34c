"""Whether clouds arrive, which are the largest messages and the first to get lost."""

from sensor_msgs.msg import PointCloud2

from ..observer import Observer
from .findings import Finding, fault, good, warning
from .running_node import RunningNode

_FRAMES = 6
_ARRIVING = 0.8  # of them, beside one on its way
_LARGE = (
    'Fast DDS loses them where its shared memory is too small. Start this command and every '
    'reader (RViz, Nav2) with FASTRTPS_DEFAULT_PROFILES_FILE (up to Jazzy) and '
    'FASTDDS_DEFAULT_PROFILES_FILE (from Kilted on) set to config/fastdds_large.xml, as the '
    'launch files start the node; in Docker with --shm-size=512m. cloud.voxel_size makes them '
    'smaller.'
)


def check_clouds(observer: Observer, node: RunningNode, patience_s: float) -> list[Finding]:
    """Return how many of a node's clouds arrive; nothing where they have another topic."""
    topic = f'{node.name}/points'
    if not observer.publishers(topic):
        return []
    clouds = observer.listen(PointCloud2, topic)
    if not observer.wait(lambda: clouds.count, patience_s):
        what = f'depth comes, and nothing came on {topic} in {patience_s:.0f} s'
        remedy = (
            'It needs a camera_info or fov_deg, and with a height gate the ground. The node says: '
            f'{node.message}. If nothing of that is missing: {_LARGE}'
        )
        return [warning('cloud', what, remedy)]
    # From one report to another, each of which counts the frames up to then.
    before = _processed(node)
    observer.wait(lambda: _processed(node) != before, patience_s)
    first, heard = _processed(node), clouds.count
    observer.wait(lambda: _processed(node) - first >= _FRAMES, patience_s)
    made, came = _processed(node) - first, clouds.count - heard
    size = f'{len(clouds.newest.data) / 1e6:.1f} MB each'
    if came < _ARRIVING * made - 1:
        return [fault('cloud', f'{topic}: {came} of {made} clouds came, {size}', _LARGE)]
    return [good('cloud', f'{topic}: {clouds.rate}, {size}')]


def _processed(node: RunningNode) -> int:
    return int(node.value('frames processed') or 0)
