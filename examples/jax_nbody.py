"""Bodies under their own gravity: ``irsmith record --out nbody --inputs -- python jax_nbody.py``."""

import jax
import jax.numpy as jnp

SOFTENING = 0.05


@jax.jit
def accelerations(positions, masses):
    """The pull of all bodies on each."""
    offsets = positions[None, :, :] - positions[:, None, :]
    distances = jnp.sqrt(jnp.sum(offsets**2, axis=-1) + SOFTENING**2)
    return jnp.sum(masses[None, :, None] * offsets / distances[:, :, None] ** 3, axis=1)


@jax.jit
def energy(positions, velocities, masses):
    """Kinetic and potential energy together."""
    kinetic = 0.5 * jnp.sum(masses * jnp.sum(velocities**2, axis=-1))
    offsets = positions[None, :, :] - positions[:, None, :]
    distances = jnp.sqrt(jnp.sum(offsets**2, axis=-1) + SOFTENING**2)
    pairs = masses[:, None] * masses[None, :] / distances
    return kinetic - 0.5 * (jnp.sum(pairs) - jnp.trace(pairs))


@jax.jit
def step(state, masses, dt):
    """Kick, drift, kick."""
    half = state["velocity"] + 0.5 * dt * accelerations(state["position"], masses)
    position = state["position"] + dt * half
    return {"position": position, "velocity": half + 0.5 * dt * accelerations(position, masses)}


@jax.jit
def rollout(state, masses, dt):
    """Ten steps, and the path of the first body."""

    def one(state, _):
        state = step(state, masses, dt)
        return state, state["position"][0]

    return jax.lax.scan(one, state, None, length=10)


def main():
    """Move the bodies, and say how well energy is kept."""
    keys = jax.random.split(jax.random.PRNGKey(2), 3)
    masses = jax.random.uniform(keys[0], (12,), minval=0.5, maxval=1.5)
    state = {
        "position": jax.random.normal(keys[1], (12, 3)),
        "velocity": 0.1 * jax.random.normal(keys[2], (12, 3)),
    }
    before = energy(state["position"], state["velocity"], masses)
    for _ in range(20):
        state = step(state, masses, 0.01)
    state, path = rollout(state, masses, 0.01)
    after = energy(state["position"], state["velocity"], masses)
    pull = jnp.abs(accelerations(state["position"], masses)).max()
    print(f"energy {before:.4f} and then {after:.4f}; strongest pull {pull:.3f}; path {path.shape}")


if __name__ == "__main__":
    main()
