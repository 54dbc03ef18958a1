"""The only code that speaks to PostgreSQL: one module per aggregate."""
