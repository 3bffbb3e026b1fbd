"""Themes of pictures, sound and shape."""

from __future__ import annotations

from irsmith.synth.themes.base import Theme, quantities

SHADING = Theme(
    name="shading",
    items=("pixel", "fragment", "sample"),
    verbs=("shade", "light", "render", "blend", "trace", "composite", "tint", "compute"),
    scalars=quantities(
        "depth 0.1 4, roughness 0.05 1, metallic 0 1, alpha 0 1, occlusion 0 1, luminance 0 2, exposure 0.2 2,"
        "fog 0 1, curvature -1 1,"
        "coverage 0 1, specular 0 1, shininess 1 4, thickness 0.1 2, distance 0.2 5, u 0 1, v 0 1"
    ),
    vectors=quantities(
        "normal -1 1, color 0 1, light_dir -1 1, view_dir -1 1, albedo 0 1, position -3 3, half_vec -1 1,"
        "tangent -1 1, emission 0 1,"
        "ray_dir -1 1, ray_origin -2 2"
    ),
    matrices=quantities("view -1 1, tbn -1 1, color_matrix -0.8 0.8, model -1 1"),
    params=quantities(
        "ambient 0.05 0.5, gamma 1 2.4, exposure 0.2 2, ior 1.1 1.8, intensity 0.5 3, falloff 0.2 2,"
        "fog_density 0.1 1, bias -0.2 0.2,"
        "shadow 0.2 0.9, roughness 0.1 1, bloom 0.1 0.9, near 0.1 0.6"
    ),
    wholes=quantities("material 0 7, layer 0 4, tile 0 31, bounces 1 6, mask 0 3, samples 1 16"),
    results=("shade", "radiance", "luminance_out", "visibility", "fresnel", "attenuation", "opacity", "highlight",
        "brightness"),
    vector_results=("color_out", "reflected", "lit", "shaded", "refracted", "blended", "half_dir"),
    temps=("diffuse", "spec", "rim", "n_dot_l", "n_dot_v", "fade", "glow", "fresnel", "tone", "haze", "gloss"),
)  # fmt: skip

IMAGE = Theme(
    name="image processing",
    items=("pixel", "texel", "patch"),
    verbs=("filter", "normalize", "threshold", "blend", "sharpen", "remap", "grade", "compute", "enhance"),
    scalars=quantities(
        "intensity 0 1, gray 0 1, red 0 1, green 0 1, blue 0 1, alpha 0 1, gradient -1 1, contrast 0.2 2,"
        "edge -1 1, noise -0.5 0.5,"
        "saturation 0 1.5, hue 0 3, background 0 1, variance 0.05 1, mean 0 1, brightness -0.5 1.5"
    ),
    vectors=quantities("rgb 0 1, src 0 1, dst 0 1, flow -2 2, gradient -1 1, offset -1 1, coord 0 4"),
    matrices=quantities("color_matrix -1 1, homography -1 1, kernel_mat -1 1, hessian -0.8 0.8"),
    params=quantities(
        "gain 0.5 2, bias -0.3 0.3, gamma 0.5 2.4, strength 0.1 1, cutoff 0.2 0.8, sigma 0.3 2, contrast 0.5 2,"
        "black 0.05 0.2, white 0.8 1,"
        "opacity 0.1 0.9, scale 0.5 2, mix_amount 0.1 0.9"
    ),
    wholes=quantities("label 0 15, level 0 255, mask 0 3, bin_id 0 15, region 0 31, rank 0 8"),
    results=("filtered", "response", "output", "edge_strength", "score", "sharpened", "toned", "normalized", "dst"),
    vector_results=("rgb_out", "graded", "warped", "dst_rgb", "corrected", "blended"),
    temps=("luma", "chroma", "tone", "local_mean", "detail", "boost", "midtone", "shadow", "highlight", "lifted",
        "mix"),
)  # fmt: skip

SIGNAL = Theme(
    name="signal processing",
    items=("sample", "frame", "channel"),
    verbs=("filter", "modulate", "mix", "demodulate", "envelope", "smooth", "window", "detect", "compute"),
    scalars=quantities(
        "signal -1 1, carrier -1 1, envelope 0 1, phase -3 3, freq 0.2 4, amplitude 0.1 2, noise -0.5 0.5,"
        "gain 0.2 2, delay 0 2, tap -1 1,"
        "reference -1 1, power 0.05 2, threshold 0.1 0.8, time 0 4, bandwidth 0.2 2, feedback 0.1 0.9"
    ),
    vectors=quantities("iq -1 1, stereo -1 1, stick -1 1, phasor -1 1, channel_mix -1 1"),
    matrices=quantities("mixing -1 1, state_matrix -0.8 0.8, rotation -1 1"),
    params=quantities(
        "alpha 0.1 0.9, gain 0.5 3, cutoff 0.1 0.9, attack 0.05 0.5, rate 0.5 4, depth 0.1 1, omega 0.5 4,"
        "floor_level 0.05 0.3, drive 0.5 3,"
        "mix 0.1 0.9, offset -0.5 0.5, q 0.5 2, limit 0.4 1.2"
    ),
    wholes=quantities("channel_id 0 7, index 0 63, code 0 255, bits 0 15, lag 0 10, symbol 0 3"),
    results=("output", "filtered", "level", "error", "power_out", "mixed", "demod", "corr", "snr", "distorted"),
    vector_results=("iq_out", "mixed", "rotated", "panned", "phasor_out"),
    temps=("wet", "dry", "level", "carrier_term", "mod", "drift", "ripple", "echo", "comp", "window", "beat"),
)  # fmt: skip

GEOMETRY = Theme(
    name="geometry processing",
    items=("vertex", "point", "face", "edge"),
    verbs=("deform", "project", "measure", "offset", "smooth", "evaluate", "transform", "fit", "compute"),
    scalars=quantities(
        "weight 0.1 1, area 0.1 2, curvature -2 2, thickness 0.1 1, angle -1.5 1.5, radius 0.2 2, height -2 2,"
        "u 0 1, v 0 1, length 0.2 3,"
        "distance -1 2, scale 0.5 2, twist -1 1, width 0.2 2, stretch 0.5 2"
    ),
    vectors=quantities(
        "points -2 2, normals -1 1, edges -1 1, tangents -1 1, center -1 1, direction -1 1, corner -2 2,"
        "axis -1 1, vertices -2 2, targets -2 2"
    ),
    matrices=quantities("transform -1 1, frame -1 1, metric -0.8 0.8, shape -1 1, jacobian -1 1"),
    params=quantities(
        "scale 0.5 2, offset -0.5 0.5, radius 0.3 1.5, blend 0.1 0.9, tolerance 0.05 0.3, amount 0.1 1,"
        "angle -1.5 1.5, stiffness 0.5 3,"
        "thickness 0.1 0.5, weight 0.1 1, twist -1 1"
    ),
    wholes=quantities("valence 1 8, patch 0 15, material 0 5, ring 0 4, marker 0 7, component 0 9"),
    results=("area_out", "sdf", "distance_out", "curvature_out", "volume", "error", "quality", "angle_out",
        "measure"),
    vector_results=("points_out", "deformed", "projected", "displaced", "normals_out", "moved"),
    temps=("bulge", "span", "lever", "planar", "bend", "inset", "taper", "slope", "aspect", "clearance"),
)  # fmt: skip
