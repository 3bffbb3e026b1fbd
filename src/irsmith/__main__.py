"""``python -m irsmith`` is ``irsmith``."""

from irsmith.cli import main

if __name__ == "__main__":
    main()
