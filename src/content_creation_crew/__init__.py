"""The database layer of Content Creation Crew: models, engine, sample rows and the health endpoint."""
