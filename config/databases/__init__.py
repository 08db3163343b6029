"""Django's database backends, with an end to every wait: what a database can't end, we do."""
