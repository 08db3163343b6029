"""Django's database backends with a limit on every wait: if the database can't end one, we do."""
