-- Administration of people. Owned by clo_roleadmin, the only owner that may make roles. Each function that a person may
-- call says first who may; names of roles are checked and quoted; what would show a verifier in an error is caught.
-- Passwords never come here: the client sends the SCRAM verifier and the bcrypt hash it has made of one and the same.

-- Internal: granted to nobody

CREATE OR REPLACE FUNCTION sec.require(allowed boolean, why text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF allowed IS NOT TRUE THEN
        RAISE EXCEPTION '%', why USING ERRCODE = 'insufficient_privilege';
    END IF;
END
$$;

-- Raises unless whoever is signed in has said the password again on this connection in the last five minutes.
CREATE OR REPLACE FUNCTION sec.require_step_up() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sec.require(EXISTS (
        SELECT FROM sec.step_ups s
        JOIN sec.users u ON u.id = s.user_id
        JOIN pg_stat_activity here ON here.pid = s.pid AND here.backend_start = s.connected_at
        WHERE u.email = session_user AND u.is_active AND s.pid = pg_backend_pid()
          AND s.said_at > clock_timestamp() - interval '5 minutes'), 'the password has to be said again first');
END
$$;

-- Raises unless whoever is signed in is an administrator who has said the password again.
CREATE OR REPLACE FUNCTION sec.require_admin() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sec.require(sec.my_role() = 'admin', 'only an administrator may do this');
    PERFORM sec.require_step_up();
END
$$;

CREATE OR REPLACE FUNCTION sec.check_secrets(verifier text, bcrypt text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF verifier IS NULL OR verifier !~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$' THEN
        RAISE EXCEPTION 'the verifier is not one of SCRAM-SHA-256' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF bcrypt IS NULL OR bcrypt !~ '^\$2a\$1[0-4]\$[./A-Za-z0-9]{53}$' THEN
        RAISE EXCEPTION 'the hash is not one of bcrypt with prefix 2a and cost 10 to 14'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;

-- Puts a login role into the group of its role, or into none, and lets it sign in or not.
CREATE OR REPLACE FUNCTION sec.put_in_group(person text, role text, active boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    other text;
BEGIN
    FOREACH other IN ARRAY ARRAY['viewer', 'analyst', 'manager', 'admin'] LOOP
        IF active AND other = role THEN
            EXECUTE format('GRANT %I TO %I', 'clo_' || other, person);
        ELSIF pg_has_role(person, 'clo_' || other, 'MEMBER') THEN
            EXECUTE format('REVOKE %I FROM %I', 'clo_' || other, person);
        END IF;
    END LOOP;
    EXECUTE format('ALTER ROLE %I %s', person, CASE WHEN active THEN 'LOGIN' ELSE 'NOLOGIN' END);
END
$$;

-- The identifier of a person of the register. Raises for anybody else, and for oneself where that is barred.
CREATE OR REPLACE FUNCTION sec.person(person text, not_oneself boolean) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id int;
BEGIN
    SELECT u.id INTO found_id FROM sec.users u WHERE u.email = person;
    IF found_id IS NULL THEN
        RAISE EXCEPTION 'nobody is registered as %', person USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM sec.require(NOT (not_oneself AND person = session_user), 'nobody may do this to themselves');
    RETURN found_id;
END
$$;

-- A new person: login role, register and counter of wrong passwords at once.
CREATE OR REPLACE FUNCTION sec.put_person(person text, full_name text, role text, verifier text, bcrypt text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new_id int;
BEGIN
    IF person IS NULL OR person !~ '^[a-z0-9][a-z0-9._+-]*@[a-z0-9][a-z0-9.-]*$' OR octet_length(person) > 63 THEN
        RAISE EXCEPTION 'a person is known by an e-mail address in small letters, of 63 characters at most'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF role IS NULL OR role NOT IN ('viewer', 'analyst', 'manager', 'admin') THEN
        RAISE EXCEPTION 'the role is viewer, analyst, manager or admin' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM sec.check_secrets(verifier, bcrypt);
    IF EXISTS (SELECT FROM pg_roles r WHERE r.rolname = person) THEN
        RAISE EXCEPTION 'the server knows % already', person USING ERRCODE = 'duplicate_object';
    END IF;
    INSERT INTO sec.users (email, full_name, hashed_password, role)
    VALUES (person, coalesce(full_name, ''), bcrypt, role) RETURNING id INTO new_id;
    BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT'
                       ' CONNECTION LIMIT 8 PASSWORD %L', person, verifier);
    EXCEPTION WHEN OTHERS THEN  -- the statement holds the verifier and would stand in the error's context
        RAISE EXCEPTION 'the login role of % could not be made', person USING ERRCODE = SQLSTATE;
    END;
    PERFORM sec.put_in_group(person, role, true);
    EXECUTE format('CREATE SEQUENCE sec.%I MINVALUE 0 START 0', 'attempts_' || new_id);
    RETURN new_id;
END
$$;

CREATE OR REPLACE FUNCTION sec.put_password(person text, verifier text, bcrypt text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sec.check_secrets(verifier, bcrypt);
    UPDATE sec.users u SET hashed_password = bcrypt WHERE u.email = person;
    BEGIN
        EXECUTE format('ALTER ROLE %I PASSWORD %L', person, verifier);
    EXCEPTION WHEN OTHERS THEN
        RAISE EXCEPTION 'the password of % could not be changed', person USING ERRCODE = SQLSTATE;
    END;
END
$$;

CREATE OR REPLACE FUNCTION sec.stop_sessions(person text) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid, 0))::int
    FROM pg_stat_activity a WHERE a.usename = person AND a.pid <> pg_backend_pid()
$$;

-- Everybody

-- Says the password again: 'ok', 'wrong' or 'locked'. Five wrong ones lock for a quarter of an hour. The counter is a
-- sequence, whose value stays when a transaction is rolled back; the lock on the person's row lets guesses made at once
-- queue. Its value is 100 x the second of the first wrong password + how many there were.
CREATE OR REPLACE FUNCTION sec.step_up(password text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    me record;
    counter regclass;
    value bigint;
    now_s bigint;
BEGIN
    SELECT u.id, u.hashed_password INTO me FROM sec.users u WHERE u.email = session_user AND u.is_active FOR UPDATE;
    PERFORM sec.require(me.id IS NOT NULL, 'only people of the register sign in here');
    counter := format('sec.%I', 'attempts_' || me.id)::regclass;
    EXECUTE format('SELECT last_value FROM %s', counter) INTO value;
    now_s := extract(epoch FROM clock_timestamp())::bigint;
    IF value % 100 = 0 OR now_s - value / 100 > 900 THEN
        value := now_s * 100;
    END IF;
    IF value % 100 >= 5 THEN
        RETURN 'locked';
    END IF;
    PERFORM setval(counter, value + 1);  -- counted before it is looked at
    IF password IS NULL OR octet_length(password) > 72
       OR crypto.crypt(password, me.hashed_password) IS DISTINCT FROM me.hashed_password THEN
        RETURN 'wrong';
    END IF;
    PERFORM setval(counter, 0);
    DELETE FROM sec.step_ups s WHERE s.user_id = me.id
        AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = s.pid AND a.backend_start = s.connected_at);
    INSERT INTO sec.step_ups AS s (user_id, pid, connected_at, said_at)
    SELECT me.id, a.pid, a.backend_start, clock_timestamp() FROM pg_stat_activity a WHERE a.pid = pg_backend_pid()
    ON CONFLICT (user_id, pid) DO UPDATE SET connected_at = excluded.connected_at, said_at = excluded.said_at;
    RETURN 'ok';
END
$$;

CREATE OR REPLACE FUNCTION sec.change_password(verifier text, bcrypt text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sec.require_step_up();
    PERFORM sec.put_password(session_user::text, verifier, bcrypt);
END
$$;

-- Administrators

CREATE OR REPLACE FUNCTION sec.create_person(person text, full_name text, role text, verifier text, bcrypt text)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sec.require_admin();
    RETURN sec.put_person(person, full_name, role, verifier, bcrypt);
END
$$;

CREATE OR REPLACE FUNCTION sec.set_role(person text, new_role text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    active boolean;
BEGIN
    PERFORM sec.require_admin();
    PERFORM sec.person(person, true);
    UPDATE sec.users u SET role = new_role WHERE u.email = person RETURNING u.is_active INTO active;
    PERFORM sec.put_in_group(person, new_role, active);
END
$$;

-- Assigns a deal to read or to write; access NULL takes it away.
CREATE OR REPLACE FUNCTION sec.assign(person text, deal int, new_access text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whom int;
BEGIN
    PERFORM sec.require_admin();
    whom := sec.person(person, false);
    IF new_access IS NULL THEN
        DELETE FROM sec.assignments a WHERE a.user_id = whom AND a.deal_id = deal;
    ELSE
        INSERT INTO sec.assignments AS a (user_id, deal_id, access) VALUES (whom, deal, new_access)
        ON CONFLICT (user_id, deal_id) DO UPDATE SET access = excluded.access;
    END IF;
END
$$;

-- Lets a person in or out. Out acts at once: the next statement of an open session finds no rights and no rows, in a
-- snapshot that was taken before too, since the group is gone; then the session is ended.
CREATE OR REPLACE FUNCTION sec.set_active(person text, active boolean) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_role text;
BEGIN
    PERFORM sec.require_admin();
    PERFORM sec.person(person, true);
    UPDATE sec.users u SET is_active = active WHERE u.email = person RETURNING u.role INTO its_role;
    PERFORM sec.put_in_group(person, its_role, active);
    RETURN CASE WHEN active THEN 0 ELSE sec.stop_sessions(person) END;
END
$$;

CREATE OR REPLACE FUNCTION sec.reset_password(person text, verifier text, bcrypt text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    whom int;
BEGIN
    PERFORM sec.require_admin();
    whom := sec.person(person, false);
    PERFORM sec.put_password(person, verifier, bcrypt);
    PERFORM setval(format('sec.%I', 'attempts_' || whom)::regclass, 0);
END
$$;

-- Lifts the lock after five wrong passwords.
CREATE OR REPLACE FUNCTION sec.unlock(person text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sec.require_admin();
    PERFORM setval(format('sec.%I', 'attempts_' || sec.person(person, true))::regclass, 0);
END
$$;

CREATE OR REPLACE FUNCTION sec.end_sessions(person text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sec.require_admin();
    PERFORM sec.person(person, false);
    RETURN sec.stop_sessions(person);
END
$$;

-- Who is connected to this database, from where and since when.
CREATE OR REPLACE FUNCTION sec.sessions()
RETURNS TABLE (pid int, email text, address text, since timestamptz, state text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sec.require(sec.my_role() = 'admin', 'only an administrator may do this');
    RETURN QUERY
        SELECT a.pid, a.usename::text, host(a.client_addr), a.backend_start, a.state
        FROM pg_stat_activity a JOIN sec.users u ON u.email = a.usename
        WHERE a.datname = current_database() ORDER BY a.backend_start;
END
$$;

GRANT EXECUTE ON FUNCTION sec.step_up(text), sec.change_password(text, text)
    TO clo_viewer, clo_analyst, clo_manager, clo_admin;
GRANT EXECUTE ON FUNCTION sec.create_person(text, text, text, text, text), sec.set_role(text, text),
    sec.assign(text, int, text), sec.set_active(text, boolean), sec.reset_password(text, text, text),
    sec.unlock(text), sec.end_sessions(text), sec.sessions()
    TO clo_admin;
