#!/usr/bin/env bash
# The environment of the workspace, then the command. Not run where it was written: there was no engine.
source "/opt/ros/$ROS_DISTRO/setup.bash"
source /ws/install/setup.bash
source /ws/.venv/bin/activate
exec "$@"
