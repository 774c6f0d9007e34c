"""Estimate depth of a large archive on a Ray cluster, or on all cores of this machine.

    python examples/ray_estimate.py --shards 64 '/archive/**/*.jpg' -o /depth --encoder vits

Everything but the first options is for `mono_depth estimate`. All machines see the archive and the
output folder under the same path. A shard that dies is tried again and leaves alone what is done.
"""

import argparse
import sys

import ray


@ray.remote(max_retries=3)
def estimate(arguments: list[str], shard: str) -> int:
    """Work on one shard in a process of Ray's; return the exit status."""
    from mono_depth_ros import main as mono_depth

    return mono_depth(['estimate', *arguments, '--resume', '--shard', shard])


def parsed() -> tuple[argparse.Namespace, list[str]]:
    """Return this script's options and those of `mono_depth estimate`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--shards', type=int, required=True, help='parts, more than workers')
    parser.add_argument('--address', help='of a running cluster (default: this machine alone)')
    parser.add_argument('--cpus', type=float, default=1, help='cores for each shard')
    parser.add_argument('--gpus', type=float, default=0, help='share of a GPU for each shard')
    parser.add_argument('--workers', type=int, help='shards at once on this machine alone')
    return parser.parse_known_args()


def main() -> int:
    """Run all shards; return the number of those that failed."""
    options, arguments = parsed()
    cores = options.workers and int(options.workers * options.cpus)
    ray.init(address=options.address, num_cpus=None if options.address else cores)
    task = estimate.options(num_cpus=options.cpus, num_gpus=options.gpus)
    count = options.shards
    running = {task.remote(arguments, f'{i}/{count}'): i for i in range(1, count + 1)}
    failed = 0
    while running:
        (done,), _ = ray.wait(list(running), num_returns=1)
        shard = running.pop(done)
        try:
            status = ray.get(done)
        except ray.exceptions.RayError as error:
            status = str(error).splitlines()[0]
        failed += status != 0
        said = f'failed ({status})' if status else 'done'
        print(f'shard {shard}/{count}: {said}, {len(running)} to go', flush=True)
    return failed


if __name__ == '__main__':
    sys.exit(main())
