"""Whether anybody is there at all, and if not, why the middleware may hide them."""

import os
from collections.abc import Mapping
from pathlib import Path

import rclpy

from .finding import Finding, fault, good

SUBJECT = 'graph'

# DDSI: of domain d, 7400 + 250 d for all, and two more for each participant from +10 on.
_FIRST_PORT, _PER_DOMAIN, _FIRST_PARTICIPANT = 7400, 250, 10
_LAST_DOMAIN = 101


def judge_graph(nodes: list[str], environment: Mapping[str, str] = os.environ) -> Finding:
    """Return what is seen of the graph: a fault if there is nobody."""
    domain = environment.get('ROS_DOMAIN_ID') or '0'
    middleware = rclpy.get_rmw_implementation_identifier()
    reach = environment.get('ROS_AUTOMATIC_DISCOVERY_RANGE') or 'SUBNET'
    if environment.get('ROS_LOCALHOST_ONLY') == '1':
        reach = 'LOCALHOST'
    where = f'ROS_DOMAIN_ID {domain}, {middleware}, discovery range {reach}'
    if nodes:
        return good(SUBJECT, f'{len(nodes)} other node(s) ({where})')
    elsewhere = [str(d) for d in domains_in_use(udp_table()) if str(d) != domain]
    hint = f' Something on this machine uses ROS_DOMAIN_ID {", ".join(elsewhere)}.'
    return fault(
        SUBJECT,
        f'no other node is seen ({where})',
        'Start the camera driver and mono_depth. If they run, give this shell the same '
        'ROS_DOMAIN_ID, RMW_IMPLEMENTATION, ROS_AUTOMATIC_DISCOVERY_RANGE and ROS_LOCALHOST_ONLY; '
        'containers need --net=host --ipc=host, other machines multicast or a discovery server.'
        + (hint if elsewhere else ''),
    )


def domains_in_use(table: str) -> list[int]:
    """Return the ROS domains for which a table of UDP sockets shows participants."""
    found = set()
    for line in table.splitlines()[1:]:
        port = int(line.split()[1].rpartition(':')[2], 16)
        domain, offset = divmod(port - _FIRST_PORT, _PER_DOMAIN)
        if 0 <= domain <= _LAST_DOMAIN and offset >= _FIRST_PARTICIPANT:
            found.add(domain)
    return sorted(found)


def udp_table() -> str:
    """Return the UDP sockets of this machine, '' where the system does not tell."""
    try:
        return Path('/proc/net/udp').read_text()
    except OSError:
        return ''
