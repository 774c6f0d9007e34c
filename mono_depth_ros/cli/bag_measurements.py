"""Topics of bags that measure the images in them, as arguments name them."""

import argparse
from collections.abc import Sequence

from ..core.errors import SettingsError
from ..core.scale.scale_settings import AlignmentSettings
from ..core.scale.stereo_matching import MatchingSettings
from ..core.settings import named
from ..offline.images import ImageSource, ReadingSettings
from ..offline.measuring import Measuring

HELD = ('depth', 'points', 'scan', 'range', 'disparity')
"""Those of `alignment.source` that bags may hold."""


def measured_topics(args: argparse.Namespace, sources: Sequence[ImageSource]) -> dict[str, str]:
    """Return the topics that `--measured-topic` names, by the source that each is of.

    Raises:
        SettingsError: Two of them are of one source.
    """
    if not args.measured_topic:
        return {}
    from ..offline.bags import Bag  # needs rosbags

    bags, topics = [Bag(source.path) for source in sources], dict[str, str]()
    for name in named(args.measured_topic):
        held = {bag.topics[name].holds for bag in bags if name in bag.topics}
        source = next((it for it in HELD if it in held), 'disparity')
        if source in topics:
            raise SettingsError(
                f'--measured-topic names {topics[source]} and {name}, which both are {source}; '
                'leave one of them away'
            )
        topics[source] = name
    return topics


def bag_measuring(
    args: argparse.Namespace,
    sources: Sequence[ImageSource],
    alignment: AlignmentSettings,
    matching: MatchingSettings,
    reading: ReadingSettings,
) -> dict[str, Measuring]:
    """Return what measures the images of bags, by `alignment.source`.

    Raises:
        SettingsError: `--measured-topic` names two topics of one source.
    """
    held = [name for name in alignment.sources if name in HELD]
    if not held:
        return {}
    from ..offline.measured_topic import MeasuredTopic  # needs rosbags

    topics = measured_topics(args, sources)
    return {
        name: MeasuredTopic(args.topic, topics.get(name, ''), matching, reading, alignment, name)
        for name in held
    }
