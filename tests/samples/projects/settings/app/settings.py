"""The application's settings; the database is not where alembic.ini could say it."""

DATABASE = "postgresql://app:secret@db.example:5432/app?application_name=app&sslmode=verify-full"
