"""Tools of onnxruntime that no program needs: they would bring PyTorch, where it happens to be installed."""

excludedimports = ["psutil", "py3nvml", "tensorflow", "torch", "transformers"]
