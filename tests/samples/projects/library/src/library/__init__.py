"""An application that its own env.py imports; installed where the project's packages are."""
