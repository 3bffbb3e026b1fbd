"""Proving rows by running them, from their own text, for any frontend behind the ports of `ports`."""

from irsmith.verdict import Status, Uncovered, Verdict
from irsmith.verify.ports import NotModelledError, Toolchain
from irsmith.verify.verdict import Measured, Measurements, Verified
from irsmith.verify.verifier import Level, Settings, Verifier

__all__ = [
    "Level",
    "Measured",
    "Measurements",
    "NotModelledError",
    "Settings",
    "Status",
    "Toolchain",
    "Uncovered",
    "Verdict",
    "Verified",
    "Verifier",
]
