"""Everything an instance knows as files that any other program reads: CSV or Parquet, and iCalendar."""
