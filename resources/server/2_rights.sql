-- What the policies ask. Owned by clo_owner. Who someone is comes from session_user, the role that signed in, which no
-- SET ROLE, setting or statement of a client changes. Policies call these inside a scalar subquery, so that PostgreSQL
-- asks once a statement and not once a row; they are plpgsql, whose plans are kept for the session.

-- The role of whoever is signed in; NULL for someone unknown or deactivated.
CREATE OR REPLACE FUNCTION sec.my_role() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT u.role FROM sec.users u WHERE u.email = session_user AND u.is_active);
END
$$;

-- The deals that whoever is signed in may read: an administrator all, anybody else those that are assigned.
CREATE OR REPLACE FUNCTION sec.readable() RETURNS int[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT CASE u.role
            WHEN 'admin' THEN ARRAY(SELECT d.id FROM clo.deals d)
            ELSE ARRAY(SELECT a.deal_id FROM sec.assignments a WHERE a.user_id = u.id)
        END
        FROM sec.users u WHERE u.email = session_user AND u.is_active);
END
$$;

-- The deals that whoever is signed in may change.
CREATE OR REPLACE FUNCTION sec.writable() RETURNS int[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT CASE u.role
            WHEN 'admin' THEN ARRAY(SELECT d.id FROM clo.deals d)
            WHEN 'manager' THEN ARRAY(SELECT a.deal_id FROM sec.assignments a WHERE a.user_id = u.id AND a.access = 'write')
            ELSE ARRAY[]::int[]
        END
        FROM sec.users u WHERE u.email = session_user AND u.is_active);
END
$$;

-- Whether one deal may be read. Volatile: it sees the assignment that the insertion of a deal has just made, so that
-- INSERT ... RETURNING gives the new deal back to its maker.
CREATE OR REPLACE FUNCTION sec.may_read(deal int) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM sec.users u
        WHERE u.email = session_user AND u.is_active
          AND (u.role = 'admin'
               OR EXISTS (SELECT FROM sec.assignments a WHERE a.user_id = u.id AND a.deal_id = deal)));
END
$$;

-- Whether an asset of the master may be changed: a deal lists it that whoever is signed in may change, or none does.
CREATE OR REPLACE FUNCTION sec.may_change_asset(asset text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    deals int[] := sec.writable();
    role text := sec.my_role();
BEGIN
    IF role IS NULL OR role NOT IN ('manager', 'admin') THEN
        RETURN false;
    END IF;
    RETURN role = 'admin'
        OR EXISTS (SELECT FROM clo.deal_assets l WHERE l.asset_id = asset AND l.deal_id = ANY (deals))
        OR EXISTS (SELECT FROM clo.holdings h WHERE h.asset_id = asset AND h.deal_id = ANY (deals))
        OR NOT (EXISTS (SELECT FROM clo.deal_assets l WHERE l.asset_id = asset)
                OR EXISTS (SELECT FROM clo.holdings h WHERE h.asset_id = asset));
END
$$;

-- Whether imports of a deal, which the history knows by name, may be read.
CREATE OR REPLACE FUNCTION sec.readable_names() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT ARRAY(SELECT d.name FROM clo.deals d WHERE d.id = ANY (sec.readable())));
END
$$;

CREATE OR REPLACE FUNCTION sec.writable_names() RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (
        SELECT ARRAY(SELECT d.name FROM clo.deals d WHERE d.id = ANY (sec.writable())));
END
$$;

-- Triggers

-- Who makes a deal is assigned to it. Before the row, so that the policy for reading it back already holds; the key of
-- the assignment is checked at the end of the transaction.
CREATE OR REPLACE FUNCTION sec.assign_maker() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO sec.assignments (user_id, deal_id, access)
    SELECT u.id, NEW.id, 'write' FROM sec.users u WHERE u.email = session_user
    ON CONFLICT DO NOTHING;
    RETURN NEW;
END
$$;

-- A change says which state it was made on: the version rises by exactly one. Blind updates are refused.
CREATE OR REPLACE FUNCTION sec.guard_version() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.version IS DISTINCT FROM OLD.version + 1 THEN
        RAISE EXCEPTION 'a change of % must raise its version from % to %',
            TG_TABLE_NAME, OLD.version, OLD.version + 1 USING ERRCODE = 'CL001';
    END IF;
    RETURN NEW;
END
$$;

-- When a deal was changed is the server's to say. (An import keeps its own time: it may come with a former database.)
CREATE OR REPLACE FUNCTION sec.stamp_deal() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER assign_maker BEFORE INSERT ON clo.deals
    FOR EACH ROW EXECUTE FUNCTION sec.assign_maker();
CREATE OR REPLACE TRIGGER stamp BEFORE INSERT OR UPDATE ON clo.deals
    FOR EACH ROW EXECUTE FUNCTION sec.stamp_deal();

GRANT EXECUTE ON FUNCTION sec.my_role(), sec.readable(), sec.writable(), sec.may_read(int), sec.may_change_asset(text),
    sec.readable_names(), sec.writable_names()
    TO clo_viewer, clo_analyst, clo_manager, clo_admin;
GRANT EXECUTE ON FUNCTION sec.my_role() TO clo_audit, clo_roleadmin;

-- The register

ALTER TABLE sec.users ENABLE ROW LEVEL SECURITY;
ALTER TABLE sec.assignments ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON sec.users TO clo_roleadmin;
GRANT USAGE ON SEQUENCE sec.users_id_seq TO clo_roleadmin;
GRANT SELECT, INSERT, UPDATE, DELETE ON sec.assignments, sec.step_ups TO clo_roleadmin;
GRANT SELECT (id, email) ON sec.users TO clo_audit;
GRANT SELECT (id, email, full_name, role, is_active) ON sec.users TO clo_viewer, clo_analyst, clo_manager, clo_admin;
GRANT SELECT ON sec.assignments TO clo_viewer, clo_analyst, clo_manager, clo_admin;
GRANT SELECT (id, name) ON clo.deals TO clo_roleadmin;
