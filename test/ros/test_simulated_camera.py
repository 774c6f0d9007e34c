"""The simulated stereo camera: pictures, calibrations and disparities of one consistent world."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from harness import Graph, Mailbox, Spun, key, parameter_value, seconds
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.srv import SetParametersAtomically
from sensor_msgs.msg import CameraInfo, Image
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.ros.simulated_camera import (
    SimulatedCameraSettings,
    SimulatedStereoCamera,
    drive_for,
)
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.furnished_drive import FurnishedDrive

FOV_DEG, BASELINE_M, WIDTH, HEIGHT = 75.0, 0.12, 160, 120
FOCAL_PX = WIDTH / 2 / np.tan(np.radians(FOV_DEG / 2))


@pytest.fixture(scope='module')
def boxes(graph: Graph) -> dict[str, Mailbox]:
    kinds = {
        **dict.fromkeys(('left/image_raw', 'right/image_raw', 'left/depth_truth'), Image),
        **dict.fromkeys(('left/camera_info', 'right/camera_info'), CameraInfo),
        'disparity': DisparityImage,
    }
    return {name: graph.listen(f'/sim/{name}', kind) for name, kind in kinds.items()}


@pytest.fixture(scope='module')
def camera(graph: Graph, boxes: dict[str, Mailbox]) -> Iterator[Spun]:
    values = {
        'width': WIDTH,
        'height': HEIGHT,
        'baseline': BASELINE_M,
        'field_of_view': FOV_DEG,
        'rate': 5.0,
        'disparity_rate': 2.5,
        'disparity_delay': 0.3,
        'seed': 3,
    }
    yield from opened_camera(graph, '/sim', values)


def opened_camera(graph: Graph, namespace: str, values: dict[str, float]) -> Iterator[Spun]:
    args = [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]
    spun = Spun(
        SimulatedStereoCamera(
            context=graph.context,
            namespace=namespace,
            cli_args=['--ros-args', *args],
            use_global_arguments=False,
        )
    )
    yield spun
    assert spun.is_spinning, 'a callback ended the executor'
    spun.close()


@pytest.fixture(scope='module')
def moment(camera: Spun, boxes: dict[str, Mailbox]) -> dict[str, object]:
    """Everything that has the stamp of the second disparity."""
    disparity = boxes['disparity'].wait(lambda msg: key(msg) != key(boxes['disparity'].all()[0]))
    return {name: box.of(disparity) for name, box in boxes.items()}


def plane(msg: Image) -> np.ndarray:
    return np.frombuffer(msg.data, '<f4').reshape(msg.height, msg.width)


def smooth_rgb(msg: Image) -> np.ndarray:
    """Return the picture with most of its noise averaged away."""
    rgb = np.frombuffer(msg.data, np.uint8).reshape(msg.height, msg.width, 3)
    return cv2.blur(rgb.astype(np.float32), (5, 5))


def test_all_messages_of_a_moment_have_one_header(moment: dict) -> None:
    headers = [msg.header for msg in moment.values()]
    assert headers == [headers[0]] * 6
    assert headers[0].frame_id == 'camera_left_optical_frame'
    assert moment['disparity'].image.header == headers[0]


def test_calibrations_are_of_a_rectified_pair(moment: dict) -> None:
    k = [FOCAL_PX, 0, (WIDTH - 1) / 2, 0, FOCAL_PX, (HEIGHT - 1) / 2, 0, 0, 1]
    for side in ('left', 'right'):
        info = moment[f'{side}/camera_info']
        assert (info.width, info.height) == (WIDTH, HEIGHT)
        np.testing.assert_allclose(info.k, k)
        np.testing.assert_allclose(np.reshape(info.p, (3, 4))[:, :3], np.reshape(k, (3, 3)))
        assert not any(info.d)
    assert moment['left/camera_info'].p[3] == 0
    assert moment['right/camera_info'].p[3] == pytest.approx(-FOCAL_PX * BASELINE_M)


def test_disparity_agrees_with_the_true_depth(moment: dict) -> None:
    msg = moment['disparity']
    truth, disparity = plane(moment['left/depth_truth']), plane(msg.image)
    assert msg.f == pytest.approx(FOCAL_PX)
    assert msg.t == pytest.approx(BASELINE_M)
    valid = disparity >= msg.min_disparity
    assert (disparity[valid] > 0).all()
    assert (disparity[valid] <= msg.max_disparity).all()
    assert np.isfinite(disparity).all()
    assert 0.2 < valid.mean() < 1
    assert (disparity[~valid] < msg.min_disparity).all()
    error = np.abs(disparity - msg.f * msg.t / truth)[valid]
    assert np.median(error) < 1


def test_right_image_is_the_left_one_moved_by_the_disparity(moment: dict) -> None:
    left, right = smooth_rgb(moment['left/image_raw']), smooth_rgb(moment['right/image_raw'])
    truth = FOCAL_PX * BASELINE_M / plane(moment['left/depth_truth'])
    v, u = np.indices(truth.shape)

    def difference(share: float) -> float:
        """Return how much the images differ once moved by a share of the true disparity."""
        source = np.rint(u - share * truth).astype(int)
        both = (source >= 0) & (u >= 2 * truth)
        apart = left[both] - right[v[both], source[both]]
        # Each camera has a gain of its own.
        return float(np.abs(apart - np.median(apart, axis=0)).mean())

    shares = (0.0, 0.5, 1.0, 1.5, 2.0)
    assert min(shares, key=difference) == 1.0


def test_disparities_come_late_and_less_often(camera: Spun, boxes: dict[str, Mailbox]) -> None:
    disparities, images = boxes['disparity'], boxes['left/image_raw']
    disparities.wait(lambda _: len(disparities.all()) >= 3)
    stamps_s = [seconds(msg) for msg in disparities.all()[:3]]
    assert stamps_s[2] - stamps_s[0] >= 2 * 0.9 / 2.5
    waits = zip(disparities.arrivals_s, stamps_s, strict=False)
    assert all(arrival - stamp >= 0.3 for arrival, stamp in waits)
    stamps = [key(msg) for msg in images.all()]
    assert all(key(msg) in stamps for msg in disparities.all())
    assert len(stamps) > len(disparities.all())


def test_views_come_again_the_same_to_the_last_bit(graph: Graph) -> None:
    names = ('left/image_raw', 'right/image_raw', 'left/depth_truth')
    boxes = [graph.listen(f'/twice/{name}', Image) for name in names]
    values = {'width': 64, 'height': 48, 'rate': 10.0, 'views': 2}
    for _ in opened_camera(graph, '/twice', values):
        boxes[-1].wait(lambda _: len(boxes[-1].all()) >= 6)
    for box in boxes:
        seen = [bytes(msg.data) for msg in box.all()]
        assert len(set(seen)) == 2
    stamps = [key(msg) for msg in boxes[0].all()]
    assert stamps == sorted(set(stamps))


def test_the_room_is_random_unless_it_is_to_be_furnished() -> None:
    random = drive_for(SimulatedCameraSettings(seed=3, speed=0.5))
    assert type(random) is Drive
    assert random.scene.seed == Drive(3).scene.seed
    furnished = drive_for(SimulatedCameraSettings(room='furnished', speed=0.5))
    assert type(furnished) is FurnishedDrive
    assert furnished.period_s == pytest.approx(furnished.length_m / 0.5)


def test_parameters_are_read_at_the_start_only(graph: Graph, camera: Spun) -> None:
    request = SetParametersAtomically.Request()
    request.parameters = [ParameterMsg(name='rate', value=parameter_value(1.0))]
    service = '/sim/simulated_stereo_camera/set_parameters_atomically'
    result = graph.call(SetParametersAtomically, service, request).result
    assert not result.successful
    assert 'read-only' in result.reason
