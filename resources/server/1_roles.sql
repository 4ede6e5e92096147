-- Roles, schemas and what PostgreSQL gives to everybody and this database does not. Run by a superuser, first and again
-- at every upgrade. Roles belong to the whole server, everything else to this database.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['clo_owner', 'clo_audit', 'clo_roleadmin',
                                'clo_viewer', 'clo_analyst', 'clo_manager', 'clo_admin']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I', name);
            EXCEPTION WHEN unique_violation THEN
                NULL;  -- another database of this server is being prepared in the same moment
            END;
        END IF;
        -- changed only where it has to be: two who change the same role at once would fail
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = name
                   AND (rolcanlogin OR rolsuper OR rolcreatedb OR rolreplication OR rolbypassrls
                        OR rolcreaterole <> (name = 'clo_roleadmin')))
        THEN
            EXECUTE format(
                'ALTER ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS %s', name,
                -- it owns the functions of user administration and nothing else
                CASE WHEN name = 'clo_roleadmin' THEN 'CREATEROLE' ELSE 'NOCREATEROLE' END);
        END IF;
    END LOOP;
END
$$;

-- It sees and ends sessions, and from PostgreSQL 16 on may put people into the four groups only.
GRANT pg_read_all_stats, pg_signal_backend TO clo_roleadmin;
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        EXECUTE 'GRANT clo_viewer, clo_analyst, clo_manager, clo_admin TO clo_roleadmin'
                ' WITH ADMIN TRUE, INHERIT FALSE, SET FALSE';
    END IF;
END
$$;

CREATE SCHEMA IF NOT EXISTS clo AUTHORIZATION clo_owner;    -- the data
CREATE SCHEMA IF NOT EXISTS sec AUTHORIZATION clo_owner;    -- who may do what
CREATE SCHEMA IF NOT EXISTS audit AUTHORIZATION clo_audit;  -- who did what
CREATE SCHEMA IF NOT EXISTS crypto;                         -- pgcrypto, for the owners only
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA crypto;

REVOKE ALL ON SCHEMA public, clo, sec, audit, crypto FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA crypto FROM PUBLIC;
GRANT USAGE ON SCHEMA clo, sec TO clo_viewer, clo_analyst, clo_manager, clo_admin;
GRANT USAGE ON SCHEMA clo TO clo_roleadmin, clo_audit;
GRANT USAGE ON SCHEMA sec TO clo_audit;
GRANT USAGE, CREATE ON SCHEMA sec TO clo_roleadmin;  -- CREATE: the counters of step-up are sequences
GRANT USAGE ON SCHEMA crypto TO clo_roleadmin, clo_audit;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crypto TO clo_roleadmin, clo_audit;

ALTER DEFAULT PRIVILEGES FOR ROLE clo_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE clo_audit REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE clo_roleadmin REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- No code of a person's own, not even for a moment: no language, no temporary object.
REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql, sql TO clo_owner, clo_audit, clo_roleadmin;

DO $$
DECLARE
    routine regprocedure;
BEGIN
    -- Large objects know no row-level security; sleeping and advisory locks only serve to hold others up; signals to
    -- other sessions and records in the log of changes are the administrator's.
    FOR routine IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
          AND (p.proname LIKE 'lo\_%' OR p.proname IN ('lowrite', 'loread')
               OR p.proname LIKE 'pg\_sleep%'
               OR p.proname LIKE 'pg\_advisory%' OR p.proname LIKE 'pg\_try\_advisory%'
               OR p.proname IN ('pg_terminate_backend', 'pg_cancel_backend', 'pg_logical_emit_message'))
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', routine);
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION pg_catalog.pg_terminate_backend(int, bigint) TO clo_roleadmin;
