"""What a Warp kernel means: its text interpreted from the syntax tree, in NumPy, without Warp.

`Reference` is the definition that compiled text is judged against. It shares no code with Warp or with the
synthesiser; a construct or builtin that it does not know is `Unsupported`, never a guess.
"""

from irsmith.frontends.warp.reference.errors import Fault, FaultKind, Site, Unsupported
from irsmith.frontends.warp.reference.reference import STEP_LIMIT, Coverage, Reference, Result

__all__ = ["STEP_LIMIT", "Coverage", "Fault", "FaultKind", "Reference", "Result", "Site", "Unsupported"]
