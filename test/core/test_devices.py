import pytest
import torch

from mono_depth_ros.core.devices import find_device, find_precision, one_thread
from mono_depth_ros.core.errors import DeviceError

CPU = torch.device('cpu')
CUDA = torch.device('cuda')


def test_cpu_is_always_there() -> None:
    assert find_device('cpu') == CPU


def test_auto_takes_the_best_that_is_there() -> None:
    if torch.cuda.is_available():
        expected = 'cuda'
    else:
        expected = 'mps' if torch.backends.mps.is_available() else 'cpu'
    assert find_device('auto').type == expected


def test_device_that_is_not_there_is_an_error_with_a_remedy() -> None:
    count = torch.cuda.device_count()
    missing = f'cuda:{count + 7}'
    complaint = f"device is '{missing}', but torch .* sees {count} CUDA devices; use auto or cpu"
    with pytest.raises(DeviceError, match=complaint):
        find_device(missing)


@pytest.mark.skipif(torch.cuda.is_available(), reason='needs a machine without CUDA')
@pytest.mark.parametrize('name', ['cuda', 'cuda:0', 'cuda:7'])
def test_no_silent_cpu(name: str) -> None:
    with pytest.raises(DeviceError, match=f"'{name}', but .* sees 0 CUDA devices"):
        find_device(name)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason='needs a machine without MPS')
def test_no_mps() -> None:
    with pytest.raises(DeviceError, match="'mps', which this machine does not have"):
        find_device('mps')


@pytest.mark.parametrize('name', ['', 'gpu', 'CUDA', 'cuda:x', 'cuda:-1', 'cpu:0', 'mps:1'])
def test_unknown_name(name: str) -> None:
    with pytest.raises(DeviceError, match=f"device is '{name}'; choose auto, cuda, cuda:N"):
        find_device(name)


@pytest.mark.parametrize(
    ('name', 'device', 'expected'),
    [
        ('auto', CPU, torch.float32),
        ('auto', CUDA, torch.float16),
        ('auto', torch.device('mps'), torch.float32),
        ('fp32', CUDA, torch.float32),
        ('fp16', CUDA, torch.float16),
        ('bf16', CPU, torch.bfloat16),
    ],
)
def test_precision(name: str, device: torch.device, expected: torch.dtype) -> None:
    assert find_precision(name, device) == expected


def test_impossible_precision() -> None:
    with pytest.raises(DeviceError, match=r'fp16, which is slower .*; use auto or fp32'):
        find_precision('fp16', CPU)
    with pytest.raises(DeviceError, match="'int8'; choose auto, fp32, fp16, bf16"):
        find_precision('int8', CUDA)


def test_one_thread_ends_as_it_began() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3
        with pytest.raises(ZeroDivisionError), one_thread():
            raise ZeroDivisionError
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
