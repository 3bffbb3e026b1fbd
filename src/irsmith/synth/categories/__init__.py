"""The table of categories: what each is called, which function makes it, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from irsmith.synth.categories import (
    base,
    bodies,
    faces,
    factors,
    folds,
    generics,
    gradients,
    graphics,
    graphs,
    grids,
    learning,
    linear,
    mechanics,
    meshes,
    models,
    motion,
    neighbours,
    particles,
    patterns,
    rays,
    recursions,
    sampling,
    searches,
    sizes,
    tiles,
    views,
)
from irsmith.synth.sketch import Sketch
from irsmith.synth.themes import Theme, media, nature, numbers


@dataclass(frozen=True, slots=True)
class Category:
    """One shape of program.

    Attributes:
        make: Fills a sketch.
        weight: How often it is drawn by default, relative to the others.
        scale: How long its kernels are, relative to the others.
        themes: The fields of work that its words come from; empty for any.
        floor: The lines that a short kernel of its shape takes; 0 for the fewest that any does.
    """

    make: Callable[[Sketch], None]
    weight: float = 1.0
    scale: float = 1.0
    themes: tuple[Theme, ...] = ()
    floor: int = 0


_RENDERING = (media.SHADING, media.GEOMETRY)
_NETWORKS = (numbers.LEARNING, numbers.STATISTICS)
_BODIES = (nature.PARTICLES, numbers.ROBOTICS)
_SURFACES = (nature.PARTICLES, numbers.ROBOTICS, media.GEOMETRY)

CATEGORIES: dict[str, Category] = {
    "arithmetic": Category(base.arithmetic),
    "scalar_param": Category(base.scalar_param, 1.0, 0.9),
    "math": Category(base.math),
    "vector": Category(base.vector),
    "matrix": Category(base.matrix, 1.0, 0.9),
    "control_flow": Category(base.control_flow),
    "nested_branch": Category(base.nested_branch, 1.0, 1.1, floor=14),
    "multi_conditional": Category(base.multi_conditional, 1.0, 1.1, floor=14),
    "loop": Category(base.loop, floor=12),
    "nested_loop": Category(base.nested_loop, 1.0, 1.1, floor=14),
    "atomic": Category(base.atomic),
    "reduction": Category(base.reduction),
    "multi_statement": Category(base.multi_statement, 1.0, 1.1),
    "combined": Category(base.combined, 1.5, 1.4, floor=16),
    "stencil": Category(patterns.stencil),
    "scan": Category(patterns.scan, 0.8, floor=12),
    "histogram": Category(patterns.histogram, 0.7, 0.8),
    "gather": Category(patterns.gather),
    "scatter": Category(patterns.scatter, 0.8),
    "helper_function": Category(patterns.helper_function),
    "struct": Category(patterns.struct),
    "while_loop": Category(patterns.while_loop, 0.8, floor=12),
    "early_exit": Category(patterns.early_exit),
    "rotation": Category(mechanics.rotation, 0.8, 0.75),
    "rigid_transform": Category(mechanics.rigid_body, 1.0, 0.75),
    "random_draw": Category(mechanics.random, 0.8, 0.75),
    "noise_field": Category(mechanics.noise, 0.6, 0.65),
    "arg_reduction": Category(folds.arg_reduction, 0.6, floor=18),
    "strided_reduction": Category(folds.strided_reduction, 0.5, 0.7, floor=9),
    "statistics": Category(folds.statistics, 0.5, 0.8, floor=14),
    "image_filter": Category(grids.image_filter, 0.7, 1.0, (media.IMAGE, media.SIGNAL), floor=12),
    "pde_step": Category(grids.pde_step, 0.8, 1.0, (nature.FLUID, nature.CHEMISTRY, numbers.PLAIN), floor=16),
    "multi_dimensional": Category(grids.multi_dimensional, 0.8, floor=10),
    "spring": Category(particles.spring, 0.7, 1.1, _BODIES, floor=21),
    "sph": Category(particles.sph, 0.6, 1.0, (nature.PARTICLES, nature.FLUID), floor=20),
    "rigid_body": Category(bodies.rigid_body, 0.7, 1.0, _BODIES, floor=17),
    "integrator": Category(
        motion.integrator, 0.7, 1.0, (nature.PARTICLES, nature.CHEMISTRY, nature.ASTRONOMY), floor=16
    ),
    "contact": Category(bodies.contact, 0.7, 1.1, _BODIES, floor=22),
    "point_field": Category(
        particles.point_field, 0.6, 1.0, (nature.PARTICLES, nature.ASTRONOMY, numbers.ROBOTICS), floor=17
    ),
    "state_update": Category(motion.state_update, 0.7),
    "struct_arrays": Category(models.struct_arrays, 0.6, floor=18),
    "ray_cast": Category(graphics.ray_cast, 0.7, 1.1, _RENDERING, floor=18),
    "shading": Category(graphics.shading, 0.7, 1.1, (media.SHADING,), floor=23),
    "signed_distance": Category(graphics.signed_distance, 0.7, 1.0, _RENDERING, floor=9),
    "noise": Category(graphics.noise, 0.6, 1.0, (media.SHADING, media.IMAGE, media.SIGNAL), floor=12),
    "csr_row": Category(graphs.csr_row, 0.7, floor=16),
    "relaxation": Category(graphs.relaxation, 0.6, 0.9, floor=16),
    "atomic_loop": Category(graphs.atomic_loop, 0.6, 0.8, floor=11),
    "exchange": Category(graphs.exchange, 0.4, 0.8, floor=12),
    "matrix_product": Category(linear.matrix_product, 0.7, 0.9, floor=13),
    "matrix_vector": Category(linear.matrix_vector, 0.6, 0.9, floor=13),
    "vector_update": Category(linear.vector_update, 0.6, 0.8, floor=15),
    "dense_solve": Category(linear.dense_solve, 0.5, floor=11),
    "matrix_factors": Category(factors.matrix_factors, 0.4, 0.8, (nature.PARTICLES, numbers.ROBOTICS), floor=12),
    "activation": Category(learning.activation, 0.6, 0.8, (numbers.LEARNING,)),
    "loss": Category(learning.loss, 0.7, 0.9, _NETWORKS, floor=14),
    "normalisation": Category(learning.normalisation, 0.6, 0.9, (numbers.LEARNING,), floor=14),
    "attention": Category(learning.attention, 0.5, 0.9, (numbers.LEARNING,), floor=22),
    "optimiser": Category(learning.optimiser, 0.6, 0.9, (numbers.LEARNING,), floor=16),
    "monte_carlo": Category(
        sampling.monte_carlo, 0.7, 0.9, (numbers.FINANCE, numbers.STATISTICS, numbers.PLAIN), floor=16
    ),
    "random_walk": Category(
        sampling.random_walk, 0.5, 0.9, (numbers.FINANCE, numbers.STATISTICS, nature.PARTICLES), floor=15
    ),
    "random_sample": Category(
        sampling.random_sample, 0.6, 0.8, (numbers.STATISTICS, nature.PARTICLES, media.SHADING), floor=12
    ),
    "generic": Category(generics.generic, 0.5, 0.9, floor=15),
    "wide_vector": Category(sizes.wide_vector, 0.4, 0.9, floor=10),
    "oblong_matrix": Category(sizes.oblong_matrix, 0.4, 0.9, floor=13),
    "indexed_array": Category(views.indexed_array, 0.3, 0.9, floor=10),
    "row_helper": Category(views.row_helper, 0.5, 0.9, floor=14),
    "struct_helper": Category(views.struct_helper, 0.5, 0.9, floor=14),
    "backward_recursion": Category(recursions.backward_recursion, 0.4, 0.9, floor=17),
    "custom_gradient": Category(gradients.custom_gradient, 0.5, 0.9, floor=17),
    "neighbour_sum": Category(
        neighbours.neighbour_sum, 0.5, 0.9, (nature.PARTICLES, nature.FLUID, nature.ASTRONOMY), floor=14
    ),
    "edge_contact": Category(neighbours.edge_contact, 0.3, 0.9, (nature.PARTICLES, numbers.ROBOTICS), floor=16),
    "mesh_distance": Category(meshes.mesh_distance, 0.5, 0.9, _SURFACES, floor=17),
    "mesh_ray": Category(rays.mesh_ray, 0.4, 0.9, _RENDERING, floor=17),
    "mesh_faces": Category(faces.mesh_faces, 0.3, 0.8, _SURFACES, floor=21),
    "mesh_overlap": Category(faces.mesh_overlap, 0.3, 0.8, _SURFACES, floor=18),
    "bvh_overlap": Category(searches.bvh_overlap, 0.4, 0.8, _SURFACES, floor=21),
    "tile_map": Category(tiles.tile_map, 0.5, 0.8, floor=8),
    "tile_reduction": Category(tiles.tile_reduction, 0.5, 0.8, floor=10),
    "tile_normalise": Category(tiles.tile_normalise, 0.4, 0.9, (numbers.LEARNING, numbers.STATISTICS), floor=12),
    "tile_matmul": Category(tiles.tile_matmul, 0.4, 0.8, (numbers.LEARNING, numbers.PLAIN), floor=12),
    "tile_scan": Category(tiles.tile_scan, 0.3, 0.8, floor=9),
    "tile_gather": Category(tiles.tile_gather, 0.3, 0.8, floor=10),
    "tile_block": Category(tiles.tile_block, 0.3, 0.8, floor=9),
    "tile_solve": Category(tiles.tile_solve, 0.3, 0.8, (numbers.ROBOTICS, numbers.PLAIN, numbers.STATISTICS), floor=11),
    "tile_spectrum": Category(tiles.tile_spectrum, 0.15, 0.8, (media.SIGNAL,), floor=12),
    "tile_share": Category(tiles.tile_share, 0.3, 0.8, floor=12),
    "tile_search": Category(tiles.tile_search, 0.3, 0.8, _SURFACES, floor=16),
}
"""Every category, by name."""

ALIASES: dict[str, str] = {
    "elementwise": "arithmetic",
    "scalar-array": "scalar_param",
    "scalar_array": "scalar_param",
    "unary": "math",
    "branch": "control_flow",
    "conditional": "control_flow",
    "nested conditionals": "nested_branch",
    "nested_conditionals": "nested_branch",
    "multi_cond": "multi_conditional",
    "nested": "nested_loop",
    "compound": "combined",
}
"""Names that earlier pipelines used. What they called ``reduction`` is ``atomic`` here."""
