-- What belongs to the database itself, and which a copy or a restored dump of it does not have. Run by a superuser.

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO clo_viewer, clo_analyst, clo_manager, clo_admin',
                   current_database());
    EXECUTE format('ALTER DATABASE %I SET search_path = clo', current_database());
    EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = ''5min''', current_database());
END
$$;
