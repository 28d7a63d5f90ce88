"""The database layer: ``base``, ``models``, ``engine``, ``revision`` and the ``sample`` rows.

Nothing here imports FastAPI, and importing the models opens no connection.
"""
