from glob import glob

from setuptools import find_packages, setup

package_name = 'mono_depth_ros'

setup(
    name=package_name,
    version='0.1.0',
    description='Metric depth and colored clouds from a single camera, for ROS 2 and without it',
    license='Apache-2.0',
    maintainer='mono_depth_ros maintainers',
    maintainer_email='maintainers@users.noreply.r-seed-1e1b2bb3.example',
    packages=find_packages(include=['mono_depth_ros', 'mono_depth_ros.*']),
    package_data={package_name: ['network_cards/*.yaml', 'weights/*.safetensors']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{package_name}']),
        (f'share/{package_name}', ['package.xml']),
        (f'share/{package_name}/launch', sorted(glob('launch/*.launch.py'))),
        (f'share/{package_name}/config', sorted(glob('config/*'))),
        (f'share/{package_name}/policies', sorted(glob('policies/*.xml'))),
        (f'share/{package_name}/rviz', sorted(glob('rviz/*.rviz'))),
    ],
    python_requires='>=3.10',
    install_requires=[
        'torch>=2.1',
        'numpy>=1.21',
        'opencv-python-headless>=4.5',
        'safetensors>=0.4',
        'huggingface_hub>=0.23',
        'filelock>=3.6',
        'rich>=11',
        'plyfile>=0.9',
        'matplotlib>=3.5',
        'PyYAML>=5.4',
        'imagesize>=2.0',
        'simplejpeg>=1.7',
        'av>=15',
    ],
    extras_require={
        'bags': ['rosbags>=0.9.20', 'mcap>=1.1'],
        'heic': ['pillow-heif>=0.16'],
        'hf': ['transformers>=5.0,<6'],
        'onnx': ['onnxruntime>=1.17', 'onnx>=1.15'],
        'openvino': ['openvino>=2024.0', 'onnx>=1.15'],
        'viz': ['open3d>=0.17'],
        'test': [
            'pytest>=6.2',
            'rosbags>=0.9.20',
            'mcap>=1.1',
            'pillow-heif>=0.16',
            'onnxruntime>=1.17',
            'onnx>=1.15',
            'transformers>=5.0,<6',
            'openvino>=2024.0',
        ],
    },
    zip_safe=False,
    entry_points={
        'console_scripts': [
            'mono_depth_node = mono_depth_ros.ros.entry_points:mono_depth_node',
            'mono_depth_cameras = mono_depth_ros.ros.entry_points:mono_depth_cameras',
            'simulated_stereo_camera = mono_depth_ros.ros.entry_points:simulated_stereo_camera',
            'mono_depth = mono_depth_ros.cli.main:main',
        ],
    },
)
