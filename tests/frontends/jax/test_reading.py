"""Tags follow from what a function's source does."""

from __future__ import annotations

import pytest

import irsmith
from irsmith import UserError
from irsmith.frontends import get
from irsmith.frontends.jax.features import FEATURES
from irsmith.frontends.jax.reading import read
from irsmith.kernel import Kernel, Signature
from irsmith.recipe import parse


def tags(body, before="", name="f"):
    source = f"{before}import jax\nimport jax.numpy as jnp\nfrom jax import lax\n\n\ndef {name}(x, y):\n{body}\n"
    return set(read(Kernel(name, "", "", source, Signature((), None))).tags)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("x * y + jnp.sin(x)", {"map"}),
        ("jnp.sum(x)", {"reduce"}),
        ("x.mean(axis=-1)", {"reduce"}),
        ("jnp.cumsum(x)", {"scan"}),
        ("lax.scan(lambda c, t: (c + t, c), y, x)", {"scan"}),
        ("jnp.take(x, y)", {"gather"}),
        ("x.at[y].set(0.0)", {"scatter", "update"}),
        ("jnp.roll(x, 1) - x", {"stencil"}),
        ("x @ y", {"matmul"}),
        ("jnp.einsum('ij,jk->ik', x, y)", {"matmul"}),
        ("lax.cond(y, jnp.sin, jnp.cos, x)", {"map", "branch"}),
        ("lax.fori_loop(0, 3, lambda i, c: c * y, x)", {"map", "loop"}),
        ("lax.while_loop(lambda c: c < y, lambda c: c + 1, x)", {"map", "loop"}),
        ("jnp.where(x > y, x, y)", {"map", "where"}),
        ("jax.vmap(lambda a: a * y)(x)", {"map", "vmap"}),
        ("jnp.sort(x)", {"sort"}),
        ("jnp.fft.fft(x)", {"fft"}),
        ("jnp.linalg.solve(x, y)", {"linear_algebra"}),
        ("jax.random.uniform(jax.random.PRNGKey(0))", {"map", "random"}),
        ("jnp.reshape(x, (2, 2))", {"map", "layout"}),
        ("jax.nn.gelu(x)", {"map", "activation"}),
        ("jax.nn.softmax(x)", {"reduce"}),
        ("x[y]", {"gather"}),
        ("x[y % 4, 1:]", {"gather"}),
        ("x[1:, None, -1] * x[..., 0]", {"map"}),
        ("jnp.stack([x[k] for k in range(3)])", {"map", "layout"}),
        ("jax.lax.ragged_dot(x, y, jnp.array([2, 2]))", {"matmul"}),
        ("lax.conv_general_dilated_patches(x, (2,), (1,), 'SAME')", {"convolution"}),
        ("jnp.convolve(x, y)", {"convolution"}),
    ],
)
def test_an_expression_has_its_tags_and_no_others(expression, wanted):
    assert tags(f"    return {expression}") == wanted


def test_helpers_comments_and_docstrings_are_seen():
    assert tags("    return x") == {"map"}
    assert tags("    return h(x)", "def h(x):\n    return x\n\n\n") == {"map", "helper"}
    assert tags("    # Twice.\n    return x + x") == {"map", "comment"}
    assert tags('    """Twice."""\n    return x + x') == {"map", "docstring"}


def test_a_variable_of_a_tagged_name_is_no_call():
    assert tags("    scan = x\n    return x") == {"map"}
    assert tags("    normal = x\n    return normal + y") == {"map"}
    assert tags("    return relu(x)", "from jax.nn import relu\n") == {"map", "activation"}


def test_every_tag_is_declared():
    frontend = get("jax")
    assert frontend.tags >= FEATURES
    for index in range(20):
        kernel = frontend.synthesise(3, index, parse('frontend = "jax"', "r").settings)
        assert set(frontend.reading(kernel).tags) <= frontend.tags


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("[augment]\nrename = 0.1", "augment: the jax frontend has no 'rename': it makes no variants"),
        ("[types]\nfloat32 = 2.0", "types"),
        ("[builtins]\nsin = 2.0", "builtins"),
        ('require = ["atomics"]', "require: unknown tag 'atomics'"),
        ('stages = ["cpp"]', "unknown stage 'cpp' of frontend jax"),
        ("[categories]\nrigid_body = 1.0", "unknown category 'rigid_body'"),
    ],
)
def test_what_jax_does_not_know_is_refused_in_a_line(line, named):
    with pytest.raises(UserError) as caught:
        parse(f'frontend = "jax"\n{line}\n', "recipe.toml")
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_recipe_may_require_a_tag(tmp_path):
    text = (
        'frontend = "jax"\nstages = ["jaxpr"]\ncount = 3\nverify = "none"\nrequire = ["scan"]\nforbid = ["comment"]\n'
    )
    irsmith.generate(parse(text, "r"), tmp_path / "d")
    rows = list(irsmith.load(tmp_path / "d").records())
    assert rows
    for row in rows:
        assert "scan" in row["tags"]
        assert "comment" not in row["tags"]
