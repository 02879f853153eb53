"""The store in a Postgres database: many runners, on many machines."""
