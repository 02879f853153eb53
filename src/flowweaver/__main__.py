"""The command as ``python -m flowweaver``."""

from flowweaver.cli import main

if __name__ == "__main__":
    main()
