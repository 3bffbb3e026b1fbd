"""Themes of the physical world."""

from __future__ import annotations

from irsmith.synth.themes.base import Theme, quantities

PARTICLES = Theme(
    name="particle dynamics",
    items=("particle", "body", "point mass"),
    verbs=("integrate", "update", "accumulate", "apply", "advance", "resolve", "step", "compute"),
    scalars=quantities(
        "mass 0.5 4, radius 0.1 1, charge -1 1, speed 0 5, drag 0.05 0.6, pressure -2 2, density 0.5 2, lifetime 0 3,"
        "temperature 0.5 3, stiffness 1 8, damping 0.1 0.9, phase -3 3, height -2 4, energy 0 5, inv_mass 0.2 2,"
        "restitution 0.1 0.9, age 0 5, friction 0.1 0.8, depth -1 1"
    ),
    vectors=quantities(
        "pos -3 3, vel -2 2, force -4 4, acc -3 3, normal -1 1, gravity -2 2, torque -2 2, anchor -2 2,"
        "goal -3 3, wind -1.5 1.5,"
        "momentum -3 3, rest_pos -2 2"
    ),
    matrices=quantities("inertia -1 1, rotation -1 1, deform -0.8 0.8, stress -1 1, basis -1 1"),
    params=quantities(
        "dt 0.01 0.1, stiffness 1 8, damping 0.1 0.9, rest_length 0.3 1.5, gravity 1 9.81, mass 0.5 3,"
        "drag_coef 0.05 0.5,"
        "k 0.5 5, mu 0.1 0.8, cutoff 0.5 2, restitution 0.2 0.9, inv_dt 1 4, ground 0 1, max_speed 1 4"
    ),
    wholes=quantities("cell 0 31, group 0 15, count 0 20, flags 0 7, owner 0 63, level 0 9, ticks 0 100"),
    results=("energy", "force_mag", "power", "impulse", "work", "kinetic", "potential", "new_speed", "contact",
        "tension", "strain"),
    vector_results=("new_pos", "new_vel", "net_force", "accel", "impulse", "displacement", "contact_force"),
    temps=("kinetic", "restoring", "drag_term", "strain", "load", "pull", "push", "loss", "gain", "net", "response"),
)  # fmt: skip

FLUID = Theme(
    name="fluid simulation",
    items=("cell", "node", "sample"),
    verbs=("advect", "diffuse", "project", "update", "relax", "evaluate", "step", "compute"),
    scalars=quantities(
        "density 0.2 2, pressure -2 2, temperature 0 4, divergence -1 1, u -2 2, v -2 2, smoke 0 1,"
        "vorticity -2 2, viscosity 0.05 0.8,"
        "concentration 0 1, source -1 1, depth 0.2 3, height -1 2, salinity 0 1, porosity 0.1 0.9, flux -2 2,"
        "mass 0.5 2"
    ),
    vectors=quantities(
        "velocity -2 2, momentum -2 2, flow -1 1, grad_p -2 2, body_force -1 1,"
        "current -1.5 1.5, face_vel -2 2"
    ),
    matrices=quantities("strain_rate -1 1, stress -1 1, gradient -0.8 0.8, tensor -1 1"),
    params=quantities(
        "dt 0.01 0.1, nu 0.05 0.5, rho 0.5 2, dx 0.2 1, inv_dx 1 4, alpha 0.1 0.9, buoyancy 0.2 2,"
        "ambient 0.5 2, omega 0.5 1.5,"
        "decay 0.1 0.9, g 1 9.81, beta 0.1 1.5, kappa 0.05 0.6"
    ),
    wholes=quantities("region 0 15, mask 0 3, level 0 9, column 0 31, phase_id 0 4, steps 1 12"),
    results=("flux", "residual", "new_density", "new_pressure", "curl", "rate", "dissipation", "head", "new_temp",
        "mach"),
    vector_results=("new_velocity", "flux", "force", "advected", "momentum_out", "drift"),
    temps=("advection", "diffusion", "inflow", "outflow", "lap", "grad", "balance", "mixing", "shear", "lift",
        "drive"),
)  # fmt: skip

CHEMISTRY = Theme(
    name="reaction kinetics",
    items=("cell", "species", "site"),
    verbs=("react", "update", "evolve", "step", "evaluate", "grow", "compute", "infect"),
    scalars=quantities(
        "concentration 0 2, substrate 0.1 3, enzyme 0.1 1, inhibitor 0 1, temperature 0.5 2, ph -1 1,"
        "prey 0.2 3, predator 0.1 2,"
        "nutrient 0 2, oxygen 0 1, biomass 0.2 3, voltage -2 2, gate 0 1, calcium 0 1, infected 0 0.6,"
        "susceptible 0.2 1, activation -2 2"
    ),
    vectors=quantities("gradient -1 1, flux -1 1, drift -1 1, orientation -1 1, position -2 2, polarity -1 1"),
    matrices=quantities("diffusivity -0.8 0.8, coupling -1 1, jacobian -0.8 0.8"),
    params=quantities(
        "rate 0.1 2, k_on 0.1 2, k_off 0.1 1, km 0.2 2, vmax 0.5 3, dt 0.01 0.1, feed 0.02 0.1, kill 0.03 0.1,"
        "growth 0.1 1.5, capacity 1 4,"
        "beta 0.1 1, gamma 0.1 0.8, tau 0.5 3, threshold 0.2 0.8, hill 1 3"
    ),
    wholes=quantities("state 0 5, generation 0 40, species_id 0 7, neighbors 0 8, count 0 30, stage 0 4"),
    results=("growth", "uptake", "product", "new_state", "rate", "yield_frac", "spike", "loss", "turnover",
        "release"),
    vector_results=("flux_out", "drift_out", "new_position", "chemotaxis", "transport"),
    temps=("binding", "saturation", "uptake", "growth_term", "death", "reaction", "supply", "competition",
        "response", "inhibition"),
)  # fmt: skip

ASTRONOMY = Theme(
    name="orbital mechanics",
    items=("body", "star", "satellite"),
    verbs=("orbit", "propagate", "update", "perturb", "evaluate", "track", "compute"),
    scalars=quantities(
        "mass 0.5 4, radius 0.5 3, luminosity 0.1 4, eccentricity 0.05 0.8, anomaly -3 3, distance 0.5 4,"
        "redshift 0 1, flux 0.1 2,"
        "period 0.5 5, magnitude -2 4, inclination -1.5 1.5, spin -2 2, albedo 0.05 0.9, temperature 0.5 3,"
        "axis_len 0.5 3"
    ),
    vectors=quantities(
        "position -3 3, velocity -2 2, accel -2 2, spin_axis -1 1, sun_dir -1 1, offset -1 1,"
        "thrust -1 1"
    ),
    matrices=quantities("rotation -1 1, covariance -0.8 0.8, frame -1 1, tidal -0.8 0.8"),
    params=quantities(
        "mu 0.5 3, dt 0.01 0.1, softening 0.1 0.5, g_const 0.5 2, tilt -0.4 0.4, j2 0.01 0.2, drag 0.01 0.2,"
        "day 0.5 2, epoch 0 3,"
        "central_mass 1 5, max_range 1 4"
    ),
    wholes=quantities("catalog_id 0 63, class_id 0 6, visits 0 20, band 0 4, sector 0 15"),
    results=("energy", "brightness", "altitude", "period_out", "potential", "azimuth", "phase_angle", "intensity",
        "delay"),
    vector_results=("new_position", "new_velocity", "acceleration", "momentum", "angular"),
    temps=("true_anomaly", "attraction", "specific_energy", "elongation", "correction", "sweep", "tide", "excess",
        "glow"),
)  # fmt: skip
