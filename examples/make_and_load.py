"""Make a small dataset from Python, read it back, and open it with Hugging Face datasets."""

import tempfile

from datasets import load_dataset

import irsmith


def main() -> None:
    """Make, read back, and open with datasets."""
    with tempfile.TemporaryDirectory() as out:
        summary = irsmith.generate(irsmith.Recipe(frontend="warp", count=20, seed=7), out, workers=1)
        print(f"{summary.manifest.rows} rows, rejects: {summary.manifest.rejects or 'none'}")

        for row in irsmith.load(out):
            print(row.id, row.kernel.category, row.structure.lines, "lines")

        train = [("split", "==", "train")]
        rows = load_dataset(out, "warp", split="all_splits", filters=train, cache_dir=f"{out}/cache")
        print(rows[0]["python_source"])


if __name__ == "__main__":
    main()
