"""The formats by name: the one place that a new one is entered."""

from __future__ import annotations

TABLE = {
    "pairs-jsonl": "irsmith.export.pairs_jsonl",
    "hlo-jsonl": "irsmith.export.hlo_jsonl",
    "pair-files": "irsmith.export.pair_files",
    "device-jsonl": "irsmith.export.device_jsonl",
    "prompt-completion": "irsmith.export.prompt_completion",
    "chat": "irsmith.export.chat",
    "hf": "irsmith.export.hf",
}
"""Format name to the module whose ``FORMAT`` is it."""
