"""Backup and restore of one instance: database, journal, readings, pictures, and the files people wrote."""
