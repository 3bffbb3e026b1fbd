"""Running the same kernels through compiled Warp and through the reference, and comparing every element."""

import importlib.util
import math
from dataclasses import dataclass

import numpy as np
import pytest

wp = pytest.importorskip("warp")

from irsmith.frontends.warp.reference import Reference  # noqa: E402


def distance(actual, expected, tolerance):
    """How far two arrays are apart, over what is allowed: at most 1 where they agree; raises on other shapes."""
    if actual.dtype.names:
        assert actual.dtype.names == expected.dtype.names
        return max(distance(actual[name], expected[name], tolerance[name]) for name in actual.dtype.names)
    assert actual.shape == expected.shape, (actual.shape, expected.shape)
    if actual.dtype.kind != "f":
        return 0.0 if np.array_equal(actual, expected) else math.inf
    actual, expected = actual.astype(np.float64), expected.astype(np.float64)
    same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
    with np.errstate(all="ignore"):
        ratio = np.where(same, 0.0, np.abs(actual - expected) / tolerance)
    # An infinite or undefined difference must not look like a small one.
    ratio = np.where(np.isnan(ratio), np.inf, ratio)
    return float(ratio.max()) if ratio.size else 0.0


def spread(exact, shaken, ulps):
    """What rounding explains: some units in the last place, and how far randomly rounded runs go."""
    if exact.dtype.names:
        return {name: spread(exact[name], shaken[name], ulps) for name in exact.dtype.names}
    if exact.dtype.kind != "f":
        return np.zeros(exact.shape)
    with np.errstate(all="ignore"):
        wide = exact.astype(np.float64)
        size = np.nan_to_num(np.abs(wide), posinf=0.0)
        moved = np.nan_to_num(np.abs(shaken.astype(np.float64) - wide).max(axis=0), posinf=0.0)
    info = np.finfo(exact.dtype)
    return ulps * np.maximum(size * float(info.eps), float(info.smallest_subnormal)) + 8 * moved


def _instance(struct, value):
    """A struct of Warp's from a structured scalar."""
    instance = struct()
    for name in value.dtype.names:
        part = value[name]
        inner = struct.vars[name].type
        setattr(instance, name, _instance(inner, part) if part.dtype.names else inner(*part.reshape(-1).tolist()))
    return instance


@dataclass
class Comparison:
    """A module's text, loaded in Warp."""

    text: str
    module: object
    references: dict

    def reference(self, kernel):
        if kernel not in self.references:
            self.references[kernel] = Reference(self.text, kernel)
        return self.references[kernel]

    def warp(self, kernel, inputs, launch):
        """The final contents of the array arguments, lane by lane."""
        reference = self.reference(kernel)
        outputs = None
        lanes = len(next(iter(inputs.values())))
        function = getattr(self.module, kernel)
        for lane in range(lanes):
            arguments = []
            for argument in function.adj.args:
                value = inputs[argument.label][lane]
                if hasattr(argument.type, "ndim"):
                    arguments.append(wp.array(value, dtype=argument.type.dtype, ndim=argument.type.ndim, device="cpu"))
                elif value.dtype.names:
                    arguments.append(_instance(argument.type, value))
                elif value.ndim:
                    arguments.append(argument.type(*value.reshape(-1).tolist()))
                else:
                    arguments.append(value.item())
            wp.launch(function, dim=launch, inputs=arguments, device="cpu")
            names = [argument.label for argument in function.adj.args]
            arrays = {
                name: value.numpy() for name, value in zip(names, arguments, strict=True) if isinstance(value, wp.array)
            }
            outputs = {name: [] for name in arrays} if outputs is None else outputs
            for name, value in arrays.items():
                outputs[name].append(value)
        del reference
        return {name: np.stack(values) for name, values in outputs.items()}

    def ratio(self, kernel, inputs, launch, ulps=4.0, runs=12):
        """The worst difference between Warp and the reference over what rounding explains, and both outputs."""
        reference = self.reference(kernel)
        result = reference.run(inputs, launch)
        assert not any(result.faults), [fault for fault in result.faults if fault][:3]
        lanes = len(next(iter(inputs.values())))
        repeated = {name: np.concatenate([value] * runs) for name, value in inputs.items()}
        shaken = reference.run(repeated, launch, perturb=np.ones(lanes * runs, bool), seed=5)
        worst = 0.0
        actual = self.warp(kernel, inputs, launch)
        assert set(actual) == set(result.outputs)
        for name, exact in result.outputs.items():
            varied = shaken.outputs[name].reshape(runs, *exact.shape)
            worst = max(worst, distance(actual[name], exact, spread(exact, varied, ulps)))
        return worst, actual, result.outputs

    def check(self, kernel, inputs, launch, ulps=4.0):
        worst, actual, expected = self.ratio(kernel, inputs, launch, ulps)
        assert worst <= 1.0, (kernel, worst, actual, expected)
        return expected


@pytest.fixture(scope="session")
def against_warp(tmp_path_factory):
    """Loads a module's text in Warp; kernels are compiled together, when the first of them runs."""
    folder = tmp_path_factory.mktemp("kernels")
    saved = wp.config.kernel_cache_dir
    wp.config.kernel_cache_dir = str(tmp_path_factory.mktemp("cache"))
    wp.config.log_level = wp.LOG_WARNING if hasattr(wp, "LOG_WARNING") else wp.config.log_level
    wp.init()
    count = 0

    def load(text, *, optimization=0):
        nonlocal count
        count += 1
        name = f"reference_comparison_{count}"
        path = folder / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        options = {"enable_backward": False, "optimization_level": optimization}
        wp.set_module_options(options, module=module)
        return Comparison(text, module, {})

    yield load
    wp.config.kernel_cache_dir = saved
