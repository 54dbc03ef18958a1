"""A library of collectors: knows vendors, knows nothing of PostgreSQL or the service."""
