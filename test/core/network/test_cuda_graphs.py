"""Networks recorded for a GPU: nothing in them waits for the CPU, what fails runs as before."""

import warnings

import pytest
import torch

from mono_depth_ros.core.network.cuda_graphs import GraphedNetwork
from mono_depth_ros.core.network.families import build_network

ENCODERS = ('tiny', 'vits', 'zipdepth')


@pytest.mark.parametrize('encoder', ENCODERS)
def test_no_layer_asks_the_cpu(encoder: str) -> None:
    """On the device `meta` no value can be read and no tensor of the CPU can take part."""
    with torch.device('meta'):
        network = build_network(encoder).eval().to(torch.float16)
        side = 2 * network.sampling.multiple
        made = network(torch.empty((2, 3, side, 2 * side), dtype=torch.float16))
    assert made.shape == (2, side, 2 * side)
    assert made.device.type == 'meta'


@pytest.mark.skipif(torch.cuda.is_available(), reason='needs a machine without CUDA')
def test_without_a_graph_the_network_runs_as_it_is() -> None:
    torch.manual_seed(0)
    network = build_network('tiny').eval().requires_grad_(False)
    graphed = GraphedNetwork(network)
    image = torch.randn(1, 3, 64, 96)
    with pytest.warns(RuntimeWarning, match='no CUDA graph of the network: .*by itself'):
        made = graphed(image)
    assert torch.equal(made, network(image))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert torch.equal(graphed(image), made), 'it is said once'


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize('encoder', ENCODERS)
def test_a_recording_computes_what_the_network_does(encoder: str) -> None:
    torch.manual_seed(0)
    network = build_network(encoder).eval().requires_grad_(False).cuda()
    graphed, side = GraphedNetwork(network), 2 * network.sampling.multiple
    with torch.inference_mode():
        for shape in ((1, 3, side, side), (2, 3, side, 2 * side), (1, 3, side, side)):
            first, second = torch.randn(2, *shape, device='cuda')
            kept = graphed(first)
            torch.testing.assert_close(graphed(second), network(second))
            torch.testing.assert_close(kept, network(first), msg='of memory of its own')
