"""Leave a core to the processes that the tests start."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(scope='session', autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
