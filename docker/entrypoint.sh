#!/usr/bin/env bash
# The environment of the workspace, then the command.
source "/opt/ros/$ROS_DISTRO/setup.bash"
source /ws/install/setup.bash
source /ws/.venv/bin/activate
exec "$@"
