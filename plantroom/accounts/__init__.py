"""Who may do what: users, roles, sessions, API tokens, and the record of what was done."""
