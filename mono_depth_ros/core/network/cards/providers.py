"""What runs networks; apart, so that settings need no torch."""

PROVIDERS = {
    'cpu': 'CPUExecutionProvider',
    'openvino': 'OpenVINOExecutionProvider',
    'cuda': 'CUDAExecutionProvider',
    'tensorrt': 'TensorrtExecutionProvider',
    'coreml': 'CoreMLExecutionProvider',
}
"""Value of the parameter `provider` -> name in ONNX Runtime."""
BACKENDS = ('torch', 'onnx', 'openvino')
"""Values of the parameter `backend`: PyTorch, ONNX Runtime on the CPU, the package OpenVINO."""
