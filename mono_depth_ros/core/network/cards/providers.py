"""The execution providers of ONNX Runtime; apart, so that settings need no torch."""

PROVIDERS = {
    'cpu': 'CPUExecutionProvider',
    'openvino': 'OpenVINOExecutionProvider',
    'cuda': 'CUDAExecutionProvider',
    'tensorrt': 'TensorrtExecutionProvider',
    'coreml': 'CoreMLExecutionProvider',
}
"""Value of the parameter `provider` -> name in ONNX Runtime."""
