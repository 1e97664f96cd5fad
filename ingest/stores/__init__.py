"""Where readings are kept for pages and reports: Parquet files (embedded) or InfluxDB, fed from the journal."""
