"""The shared PostgreSQL server: what is made on it, who may do what, how that is proved."""
