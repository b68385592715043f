"""ONNX Runtime: predictions of the same network as a graph of Gemm and Relu."""

from __future__ import annotations

import numpy as np
import onnxruntime
import worker
from onnx import TensorProto, helper, numpy_helper


def graph(sizes: list[int]) -> bytes:
    """A model file with weights drawn at random: images (n, inputs) in, the likeliest classes (n,) out."""
    random = np.random.default_rng(1)
    nodes = []
    parameters = []
    last = "x"
    for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        weights = random.normal(0, 0.05, (inputs, outputs)).astype(np.float32)
        parameters += [
            numpy_helper.from_array(weights, f"weights{i}"),
            numpy_helper.from_array(np.zeros(outputs, np.float32), f"bias{i}"),
        ]
        nodes.append(helper.make_node("Gemm", [last, f"weights{i}", f"bias{i}"], [f"z{i}"]))
        last = f"z{i}"
        if i + 2 < len(sizes):
            nodes.append(helper.make_node("Relu", [last], [f"a{i}"]))
            last = f"a{i}"
    nodes.append(helper.make_node("ArgMax", [last], ["classes"], axis=1, keepdims=0))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", sizes[0]])
    classes = helper.make_tensor_value_info("classes", TensorProto.INT64, ["n"])
    network = helper.make_graph(nodes, "dense", [x], [classes], parameters)
    model = helper.make_model(network, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8  # what every ONNX Runtime of the last years reads
    return model.SerializeToString()


def predict(
    data: str, sizes: list[int], threads: int, seconds: float, batch: int = 0, zeros: bool = True
) -> dict[str, object]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(graph(sizes), options, providers=["CPUExecutionProvider"])
    images = worker.load(data, "t10k")[0][: batch or 1000]
    if not zeros:
        images = worker.as_floats(images, zeros=False)

    def classes(image: np.ndarray) -> np.ndarray:
        numbers = worker.as_floats(image) if zeros else image
        return session.run(None, {"x": numbers.reshape(-1, sizes[0])})[0]

    return worker.throughput(classes, images, seconds) if batch else worker.latency(classes, images, seconds)


if __name__ == "__main__":
    worker.serve(f"ONNX Runtime {onnxruntime.__version__}", {"predict": predict})
