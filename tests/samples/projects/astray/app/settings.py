"""The application's settings: its database is written here, and in the file .env, which overrides the environment."""

import os
from pathlib import Path

URL = "postgresql://shop:secret@production.example/shop"  # the tests write another one here

for line in (Path(__file__).parents[1] / ".env").read_text().splitlines():
    name, _, value = line.partition("=")
    os.environ[name] = value
