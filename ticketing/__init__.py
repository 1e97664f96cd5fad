"""From findings to work orders with deadlines: contract, calendar, deadline, desk, API."""
