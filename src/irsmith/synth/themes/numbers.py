"""Themes of data, decisions and plain numbers."""

from __future__ import annotations

from irsmith.synth.themes.base import Theme, quantities

LEARNING = Theme(
    name="machine learning",
    items=("sample", "unit", "row", "token"),
    verbs=("activate", "normalize", "update", "score", "backprop", "apply", "forward", "compute", "evaluate"),
    scalars=quantities(
        "logits -3 3, weight -1 1, bias -0.5 0.5, grad -1 1, target 0 1, pred -1 2, momentum -1 1,"
        "variance 0.05 1, labels -1 1, mask 0 1,"
        "hidden -1 1, error -1 1, moment -0.5 0.5, score -2 2, confidence 0 1, margin -1 1, x -2 2, norm 0.2 2"
    ),
    vectors=quantities(
        "features -1 1, embedding -1 1, query -1 1, keys -1 1, grads -1 1, inputs -1 1,"
        "weights_vec -1 1"
    ),
    matrices=quantities("weights -1 1, attention -1 1, covariance -0.8 0.8, projection -1 1"),
    params=quantities(
        "lr 0.01 0.1, beta1 0.8 0.95, beta2 0.9 0.99, eps 0.01 0.1, temperature 0.5 2, decay 0.01 0.2,"
        "slope 0.01 0.3, scale 0.5 2, margin 0.1 1,"
        "alpha 0.1 1, delta 0.5 1.5, dropout 0.1 0.6, clip 0.3 1.5"
    ),
    wholes=quantities("class_id 0 9, token 0 63, step 1 50, head 0 7, bucket 0 15, fold 0 4"),
    results=("output", "loss", "activation", "new_weight", "grad_out", "prob", "score_out", "normalized", "reward"),
    vector_results=("features_out", "embedding_out", "context", "grads_out", "projected", "updated"),
    temps=("z", "gate", "penalty", "residual", "hinge", "update", "logit", "scaled_grad", "confidence", "smoothed"),
)  # fmt: skip

FINANCE = Theme(
    name="quantitative finance",
    items=("asset", "path", "option", "account"),
    verbs=("price", "discount", "hedge", "simulate", "rebalance", "value", "accrue", "compute"),
    scalars=quantities(
        "spot 0.5 3, strike 0.5 3, rate 0.01 0.1, vol 0.1 0.6, expiry 0.2 2, cash 0 5, position -2 2,"
        "returns -0.5 0.5, cost 0.1 1, yields 0.01 0.2,"
        "notional 1 5, dividend 0 0.1, price 0.5 4, shock -1 1, weight 0.1 0.9, balance -1 4, volume 0.5 5"
    ),
    vectors=quantities("weights 0 1, exposure -1 1, factors -1 1, prices 0.5 3, shocks -1 1, greeks -1 1"),
    matrices=quantities("covariance -0.8 0.8, correlation -1 1, loadings -1 1"),
    params=quantities(
        "risk_free 0.01 0.1, dt 0.02 0.2, barrier 0.8 2.5, tax 0.05 0.4, fee 0.01 0.1, target 0.5 2,"
        "drift -0.2 0.3, leverage 0.5 3, cap 1 3,"
        "hurdle 0.05 0.5, sigma 0.1 0.6, floor_price 0.5 1"
    ),
    wholes=quantities("tenor 1 12, rating 0 9, lot 1 50, sector 0 10, days 1 60, bucket 0 15"),
    results=("value", "payoff", "pnl", "premium", "exposure_out", "margin", "fair_price", "risk", "carry"),
    vector_results=("allocation", "hedge", "new_weights", "tilt", "exposure_out"),
    temps=("growth", "moneyness", "discount", "carry", "excess", "spread", "intrinsic", "hedge_cost", "accrued",
        "fees", "haircut"),
)  # fmt: skip

ROBOTICS = Theme(
    name="robot control",
    items=("joint", "link", "waypoint", "leg"),
    verbs=("control", "track", "limit", "estimate", "actuate", "plan", "servo", "compute"),
    scalars=quantities(
        "joint_q -1.5 1.5, joint_qd -2 2, target_q -1.5 1.5, effort -2 2, gain 0.5 3, limit 0.5 2, error -1 1,"
        "load 0 2, current 0 2, speed -2 2,"
        "heading -3 3, reach 0.3 4, stance 0 1, gap -0.5 1, torque -3 3, armature 0.1 1, backlash 0.05 0.3"
    ),
    vectors=quantities(
        "foot_pos -1 1, com -1 1, target_pos -2 2, body_vel -1.5 1.5, omega -2 2, wrench -2 2, axis -1 1,"
        "contact_normal -1 1, lever_arm -1 1"
    ),
    matrices=quantities("jacobian -1 1, inertia -1 1, gains -1 1, rotation -1 1, covariance -0.8 0.8"),
    params=quantities(
        "kp 0.5 5, kd 0.1 1, ki 0.05 0.5, dt 0.01 0.1, max_effort 0.8 2, deadband 0.05 0.3, stiffness 1 5,"
        "damping 0.1 1, rest 0.2 1, mu 0.2 0.9,"
        "armature 0.1 1, horizon 0.5 2, lookahead 0.3 1.5"
    ),
    wholes=quantities("joint_type 0 4, parent 0 15, mode 0 3, contact_count 0 4, env_id 0 31, dof 1 6"),
    results=("command", "tau", "error_out", "cost", "reward", "clearance", "penalty", "effort_out", "slip"),
    vector_results=("force", "correction", "new_pos", "velocity_cmd", "torque_out", "tracking"),
    temps=("p_term", "d_term", "feedforward", "slack", "violation", "correction", "drive", "bias", "offset_q",
        "reach"),
)  # fmt: skip

STATISTICS = Theme(
    name="statistics",
    items=("observation", "trial", "group", "record"),
    verbs=("estimate", "standardize", "score", "weigh", "check", "fit", "summarize", "compute"),
    scalars=quantities(
        "x -2 2, y -2 2, weight 0.1 1, mean -1 1, variance 0.1 2, residual -1 1, prior 0.05 0.9,"
        "likelihood 0.1 1, exposure 0.5 3, dose 0 2,"
        "score -2 2, count_rate 0.2 3, variance_prior 0.2 2, std_dev 0.2 2, response 0 1, income 0.5 4"
    ),
    vectors=quantities("features -1 1, centroid -2 2, observation -2 2, loading -1 1, sample -2 2"),
    matrices=quantities("covariance -0.8 0.8, design -1 1, precision -1 1"),
    params=quantities(
        "alpha 0.05 0.9, beta 0.2 2, sigma 0.3 2, mu -1 1, tau 0.3 2, shrinkage 0.1 0.9, nu 1 4,"
        "prior_mean -1 1, bandwidth 0.3 1.5, cutoff 0.5 2,"
        "threshold -0.5 0.8, lam 0.1 1"
    ),
    wholes=quantities("cluster 0 7, count 0 25, bin_id 0 15, trials 1 20, successes 0 12, stratum 0 5"),
    results=("zscore", "estimate", "density", "log_prob", "statistic", "posterior", "distance", "influence",
        "deviance"),
    vector_results=("centered", "scaled", "new_centroid", "direction", "whitened"),
    temps=("centered", "pooled", "shrunk", "odds", "leverage", "dev", "std_err", "log_odds", "evidence", "ratio"),
)  # fmt: skip

PLAIN = Theme(
    name="numerics",
    items=("element", "entry", "value"),
    verbs=("compute", "evaluate", "transform", "combine", "apply", "map", "process", "update"),
    scalars=quantities(
        "x -2 2, y -2 2, z -1 3, a -2 2, b 0.5 3, c -1 1, u 0 1, t 0 2, w 0.1 1, p 0 1, q -2 2, s 0.5 2, f -1 1,"
        "g 0.2 2, h -1 1, data -2 2,"
        "values -3 3, src -1 1, input -2 2"
    ),
    vectors=quantities(
        "a -2 2, b -2 2, x -2 2, y -1 1, p -2 2, q -1 1, u -1 1, v -2 2, vecs -1 1,"
        "points -2 2, lhs -1 1, rhs -1 1"
    ),
    matrices=quantities("A -1 1, B -1 1, M -1 1, m -1 1, mats -0.8 0.8, lhs -1 1, rhs -1 1, K -0.8 0.8"),
    params=quantities(
        "alpha 0.1 2, beta 0.1 1, scale 0.5 2, k 0.5 4, eps 0.05 0.2, offset -1 1, factor 0.5 3,"
        "threshold -0.5 1, gamma 0.2 1.5, step 0.01 0.2,"
        "c0 -1 1, c1 -2 2, limit 0.5 2, shift -1 1"
    ),
    wholes=quantities(
        "a 0 50, b 1 20, idx 0 31, n_items 1 12, code 0 127, keys 0 63, x -40 40, y -20 20,"
        "count 0 30, values 0 100"
    ),
    results=("out", "result", "output", "dst", "res", "y_out", "ret", "dest", "f_out"),
    vector_results=("out", "result", "output", "dst", "res", "v_out"),
    temps=("tmp", "val", "t0", "acc_val", "r", "num", "den", "inner", "outer", "part", "mid", "left", "right",
        "poly"),
)  # fmt: skip
