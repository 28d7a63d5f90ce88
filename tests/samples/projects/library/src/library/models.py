"""The application's models, as they are today."""

from sqlalchemy import Column, Date, Enum, Integer, MetaData, Numeric, String, Table

metadata = MetaData()
authors = Table(
    "authors", metadata, Column("id", Integer, primary_key=True), Column("name", String(60), nullable=False)
)
books = Table(
    "books",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Enum("novel", "poetry", name="kind"), nullable=False),
    Column("price", Numeric(8, 2)),
    Column("published", Date),
)
