"""Every step of the database's schema, in order. `plantroom db upgrade` runs what is missing."""
