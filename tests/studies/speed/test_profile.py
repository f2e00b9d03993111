from __future__ import annotations

from d2l_lrsched.studies.speed import profile
from d2l_lrsched.studies.speed.record import Operation


def test_operations_of_an_epoch():
    """Counted by hand: 235,200 + 480,000 + 117,840 forward, for one image."""
    forward = 235_200 + 480_000 + 117_840
    assert 60_000 * (3 * forward - 235_200) + 10_000 * forward == profile.EPOCH_OPERATIONS


def test_lines_of_one_dnn_are_summed_by_operation_direction_and_kernel():
    line = "onednn_verbose,exec,cpu,{},{},{},src_f32,,,shape,{}"
    output = "\n".join(
        [
            line.format("convolution", "x64:jit:avx2", "forward_training", 1.5),
            line.format("convolution", "x64:jit:avx2", "forward_inference", 0.5),
            line.format("pooling_v2", "simple_nchw:any", "backward", 3),
            line.format("reorder", "simple:any", "undef", 1e-3),
            "something else",
        ]
    )
    assert profile.operations(output) == [
        Operation("pooling", "backward", "simple_nchw:any", 0.003),
        Operation("convolution", "forward", "jit:avx2", 0.002),
        Operation("reorder", "", "simple:any", 0.0),
    ]
