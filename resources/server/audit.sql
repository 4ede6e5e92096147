-- The audit of the shared server: every changed row leaves one line in the transaction that changes it.
--
-- Run by clo_desktop.store.audit.server.apply, which puts names in the places of {data} (the schema of the data) and
-- expressions in those of the functions that record; harmless to run again. The role clo_audit owns everything here and nobody
-- can sign in as it. What its lines are worth against a superuser is said in docs/audit.md.

CREATE SCHEMA IF NOT EXISTS audit AUTHORIZATION clo_audit;
REVOKE ALL ON SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO clo_viewer, clo_analyst, clo_manager, clo_admin;

CREATE TABLE IF NOT EXISTS audit.audit_logs (
    seq bigint PRIMARY KEY,
    "user" text NOT NULL,
    action text NOT NULL,
    resource_type text NOT NULL,
    resource_id text NOT NULL,
    "timestamp" timestamptz NOT NULL,
    ip_address text NOT NULL,
    details jsonb NOT NULL,
    txid bigint NOT NULL,
    mac bytea NOT NULL
);
DO $compress$
BEGIN -- a third of what a line of a wide row costs is its compression by the usual way
    ALTER TABLE audit.audit_logs ALTER details SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN -- a server that was built without lz4
    NULL;
END $compress$;
CREATE INDEX IF NOT EXISTS ix_audit_logs_txid ON audit.audit_logs (txid);
CREATE INDEX IF NOT EXISTS ix_audit_logs_resource_id ON audit.audit_logs (resource_id);
CREATE SEQUENCE IF NOT EXISTS audit.line;

-- HMAC-SHA-256 (RFC 2104) from the server's own sha256, so that no extension need be found: the two padded keys
CREATE TABLE IF NOT EXISTS audit.key (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    inner_pad bytea NOT NULL CHECK (octet_length(inner_pad) = 64),
    outer_pad bytea NOT NULL CHECK (octet_length(outer_pad) = 64)
);
DO $make_key$
DECLARE
    secret bytea := sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid(), gen_random_uuid()), 'UTF8'));
    inner_pad bytea := decode(repeat('36', 64), 'hex');
    outer_pad bytea := decode(repeat('5c', 64), 'hex');
BEGIN
    FOR i IN 0..31 LOOP
        inner_pad := set_byte(inner_pad, i, get_byte(inner_pad, i) # get_byte(secret, i));
        outer_pad := set_byte(outer_pad, i, get_byte(outer_pad, i) # get_byte(secret, i));
    END LOOP;
    INSERT INTO audit.key (inner_pad, outer_pad) VALUES (inner_pad, outer_pad) ON CONFLICT DO NOTHING;
END $make_key$;

-- one link a seal: an HMAC of the link before and of the lines it adds
CREATE TABLE IF NOT EXISTS audit.chain (
    pos bigint PRIMARY KEY,
    sealed_at timestamptz NOT NULL,
    seqs bigint[] NOT NULL,
    link bytea NOT NULL
);

-- floor: every transaction below it had ended at the last seal; beyond: lines sealed already of those not below it
CREATE TABLE IF NOT EXISTS audit.head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    trail uuid NOT NULL DEFAULT gen_random_uuid(),
    pos bigint NOT NULL DEFAULT 0,
    link bytea NOT NULL DEFAULT '\x',
    floor bigint NOT NULL DEFAULT 0,
    beyond bigint[] NOT NULL DEFAULT '{}'
);
INSERT INTO audit.head DEFAULT VALUES ON CONFLICT DO NOTHING;

-- The lines of one statement that adds or removes rows. Arguments of the trigger: the columns of the key, those a person
-- knows the row by, and those whose values are secret. Settings that change how a value is written are pinned, or a
-- client could hide a small change by them. What is signed is the text that audit.mac_of makes of the line, put
-- together from parts: that takes a third of the time, and most parts are the same in all lines of a statement.
CREATE OR REPLACE FUNCTION audit.record_{event}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
SET "TimeZone" = 'UTC'
SET jit = off
SET plan_cache_mode = force_generic_plan -- or it is planned anew for each line
AS $record$
DECLARE
    keys constant text[] := string_to_array(TG_ARGV[0], ',');
    names constant text[] := string_to_array(TG_ARGV[1], ',');
    secrets constant text[] := string_to_array(TG_ARGV[2], ',');
    program constant text := nullif(current_setting('application_name'), '');
    place constant text := coalesce(host(inet_client_addr()), 'local');
    moment constant timestamptz := clock_timestamp();
    xact constant bigint := pg_current_xact_id()::text::bigint;
    signed_who constant text := concat(', ', to_json(session_user), ', "{event}", ', to_json(TG_TABLE_NAME), ', ');
    signed_when constant text := concat(', ', (extract(epoch FROM moment) * 1000000)::bigint, ', ', to_json(place),
        ', ');
    signed_end constant text := concat(', ', xact, ']');
    inner_pad bytea;
    outer_pad bytea;
BEGIN
    SELECT k.inner_pad, k.outer_pad INTO STRICT inner_pad, outer_pad FROM audit.key k;
    INSERT INTO audit.audit_logs
    SELECT seq, session_user, '{event}', TG_TABLE_NAME, resource, moment, place, details, xact,
        sha256(outer_pad || sha256(inner_pad || convert_to(
            concat('[', seq, signed_who, to_json(resource), signed_when, details, signed_end), 'UTF8')))
    -- OFFSET 0: a value is made once, and not again wherever it is used
    FROM (SELECT nextval('audit.line') AS seq, concat_ws(' / ', deal, known) AS resource,
            jsonb_strip_nulls(jsonb_build_object('table', TG_TABLE_NAME, 'id', id, 'deal', deal, 'program', program,
                '{side}', CASE WHEN secrets = '{}' THEN row_is ELSE row_is - secrets END)) AS details
        FROM (SELECT row_is,
                CASE WHEN deals.name IS NOT NULL THEN deals.name
                    WHEN TG_TABLE_NAME = 'deals' THEN row_is->>'name' ELSE row_is->>'deal' END AS deal,
                CASE WHEN TG_TABLE_NAME = 'deals' THEN NULL WHEN names[2] IS NULL THEN row_is->>names[1]
                    ELSE (SELECT string_agg(row_is->>c, ' ' ORDER BY o) FROM unnest(names) WITH ORDINALITY AS u(c, o))
                    END AS known,
                CASE WHEN keys[2] IS NULL THEN row_is->keys[1]
                    ELSE (SELECT jsonb_agg(row_is->c ORDER BY o) FROM unnest(keys) WITH ORDINALITY AS u(c, o))
                    END AS id
            FROM (SELECT to_jsonb(r) AS row_is FROM {rows} r OFFSET 0) r
            LEFT JOIN {data}.deals ON deals.id = (row_is->>'deal_id')::bigint
            OFFSET 0) named
        OFFSET 0) line;
    RETURN NULL;
END $record$;

-- The line of an updated row: row by row, since edits come singly, and to pair old rows with new ones would cost more
-- than it saves. In short steps, which start faster than one long statement.
CREATE OR REPLACE FUNCTION audit.record_update() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
SET "TimeZone" = 'UTC'
SET jit = off
SET plan_cache_mode = force_generic_plan -- or it is planned anew for each line
AS $record$
DECLARE
    row_was constant jsonb := to_jsonb(OLD);
    row_is constant jsonb := to_jsonb(NEW);
    keys text[];
    names text[];
    secrets text[];
    id jsonb;
    known text;
    about record;
    seq bigint;
    resource text;
    moment timestamptz;
    place text;
    details jsonb;
    xact bigint;
BEGIN
    IF row_was = row_is THEN
        RETURN NULL;
    END IF;
    keys := string_to_array(TG_ARGV[0], ',');
    names := string_to_array(TG_ARGV[1], ',');
    secrets := string_to_array(TG_ARGV[2], ',');
    IF keys[2] IS NULL THEN
        id := row_is->keys[1];
    ELSE
        id := (SELECT jsonb_agg(row_is->c ORDER BY o) FROM unnest(keys) WITH ORDINALITY AS u(c, o));
    END IF;
    IF names[2] IS NULL THEN
        known := row_is->>names[1];
    ELSE
        known := (SELECT string_agg(row_is->>c, ' ' ORDER BY o) FROM unnest(names) WITH ORDINALITY AS u(c, o));
    END IF;
    SELECT k.inner_pad, k.outer_pad, changed.*,
        CASE WHEN deals.name IS NOT NULL THEN deals.name
            WHEN TG_TABLE_NAME = 'deals' THEN row_is->>'name' ELSE row_is->>'deal' END AS deal
    INTO STRICT about
    FROM audit.key k LEFT JOIN {data}.deals ON deals.id = (row_is->>'deal_id')::bigint,
    LATERAL (SELECT
        coalesce(jsonb_object_agg(f.key, row_was->f.key) FILTER (WHERE f.key <> ALL (secrets)), '{}') AS before,
        jsonb_object_agg(f.key, CASE WHEN f.key = ANY (secrets) THEN '"{changed}"' ELSE f.value END) AS after
        FROM jsonb_each(row_is) f WHERE f.value IS DISTINCT FROM row_was->f.key) AS changed;
    seq := nextval('audit.line');
    resource := concat_ws(' / ', about.deal, CASE WHEN TG_TABLE_NAME <> 'deals' THEN known END);
    moment := clock_timestamp();
    place := coalesce(host(inet_client_addr()), 'local');
    -- a field that is missing before or after is null there, and said
    details := jsonb_strip_nulls(jsonb_build_object('table', TG_TABLE_NAME, 'id', id, 'deal', about.deal,
        'program', nullif(current_setting('application_name'), '')))
        || jsonb_build_object('before', about.before, 'after', about.after);
    xact := pg_current_xact_id()::text::bigint;
    INSERT INTO audit.audit_logs VALUES (seq, session_user, 'update', TG_TABLE_NAME, resource, moment, place, details,
        xact, sha256(about.outer_pad || sha256(about.inner_pad || convert_to(concat('[', seq, ', ',
            to_json(session_user), ', "update", ', to_json(TG_TABLE_NAME), ', ', to_json(resource), ', ',
            (extract(epoch FROM moment) * 1000000)::bigint, ', ', to_json(place), ', ', details, ', ', xact, ']'),
            'UTF8'))));
    RETURN NULL;
END $record$;

-- The HMAC of a line that is there, for those who check it; it says what is signed.
-- In plpgsql, which keeps the plan for the next call.
CREATE OR REPLACE FUNCTION audit.mac_of(l audit.audit_logs) RETURNS bytea
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $mac_of$
BEGIN
    RETURN (SELECT sha256(k.outer_pad || sha256(k.inner_pad || convert_to(jsonb_build_array(l.seq, l."user", l.action,
        l.resource_type, l.resource_id, (extract(epoch FROM l."timestamp") * 1000000)::bigint, l.ip_address, l.details,
        l.txid)::text, 'UTF8')))
    FROM audit.key k);
END $mac_of$;

-- The HMAC of a link: where it stands, what was before it, and the lines it adds.
CREATE OR REPLACE FUNCTION audit.link_of(pos bigint, sealed_at timestamptz, seqs bigint[], before bytea) RETURNS bytea
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET jit = off
SET plan_cache_mode = force_generic_plan
AS $link_of$
BEGIN
    RETURN (SELECT sha256(k.outer_pad || sha256(k.inner_pad || int8send($1)
        || int8send((extract(epoch FROM $2) * 1000000)::bigint) || $4
        || coalesce((SELECT string_agg(int8send(l.seq) || l.mac, '' ORDER BY l.seq)
            FROM audit.audit_logs l WHERE l.seq = ANY ($3)), '')))
    FROM audit.key k);
END $link_of$;

-- Chains the lines that were committed since the last seal, and gives the head for the client to keep. Called right
-- after a commit, in a transaction of its own: in the transaction of the change the head would be a place where
-- everyone waits for everyone. The lock is on a row nobody else can reach; who does not get it has nothing to wait for
-- and is told so (sealed is false): the next seal takes all.
DROP FUNCTION IF EXISTS audit.seal();
CREATE FUNCTION audit.seal(OUT trail uuid, OUT pos bigint, OUT link text, OUT sealed boolean) RETURNS record
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off -- the plan is made without the floor, and would read every line there ever was
SET jit = off -- compiling takes longer than everything else here
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = off -- while a transaction stays open the lines beyond its floor are many
AS $seal$
DECLARE
    top audit.head;
    added bigint[];
    above bigint[];
    lowest bigint;
    moment timestamptz := clock_timestamp();
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'audit.seal() is called in READ COMMITTED' USING ERRCODE = '25001';
    END IF;
    -- without the lock first: a lock is a write, and where someone else has sealed our lines there is nothing to write
    SELECT * INTO STRICT top FROM audit.head;
    sealed := NOT EXISTS (SELECT FROM audit.audit_logs a LEFT JOIN unnest(top.beyond) AS b(seq) ON b.seq = a.seq
        WHERE a.txid >= top.floor AND b.seq IS NULL);
    trail := top.trail; pos := top.pos; link := encode(top.link, 'hex');
    IF sealed THEN
        RETURN;
    END IF;
    SELECT * INTO top FROM audit.head FOR UPDATE SKIP LOCKED;
    sealed := FOUND;
    IF NOT sealed THEN
        RETURN;
    END IF;
    -- the floor and the lines come from one snapshot
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        array_agg(l.seq ORDER BY l.seq) FILTER (WHERE NOT l.known),
        array_agg(l.seq) FILTER (WHERE l.txid >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
    INTO lowest, added, above
    FROM (SELECT a.seq, a.txid, b.seq IS NOT NULL AS known
        FROM audit.audit_logs a LEFT JOIN unnest(top.beyond) AS b(seq) ON b.seq = a.seq WHERE a.txid >= top.floor) l;
    IF added IS NOT NULL THEN
        top.link := audit.link_of(top.pos + 1, moment, added, top.link);
        top.pos := top.pos + 1;
        INSERT INTO audit.chain VALUES (top.pos, moment, added, top.link);
        UPDATE audit.head SET pos = top.pos, link = top.link, floor = lowest,
            beyond = coalesce(above, '{}');
    END IF;
    pos := top.pos; link := encode(top.link, 'hex');
END $seal$;

-- What is wrong between two links (after the first, up to the second): one row for each fault.
CREATE OR REPLACE FUNCTION audit.verify(after_pos bigint, last_pos bigint)
RETURNS TABLE (kind text, pos bigint, seq bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $verify$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH part AS MATERIALIZED (SELECT c.* FROM audit.chain c WHERE c.pos > after_pos AND c.pos <= last_pos),
    named AS MATERIALIZED (SELECT p.pos, u.seq FROM part p, unnest(p.seqs) AS u(seq))
    SELECT 'gap', g.pos, NULL::bigint FROM generate_series(after_pos + 1, last_pos) AS g(pos)
        WHERE NOT EXISTS (SELECT FROM part p WHERE p.pos = g.pos)
    UNION ALL
    SELECT 'link', p.pos, NULL FROM part p
        WHERE p.link IS DISTINCT FROM audit.link_of(p.pos, p.sealed_at, p.seqs,
            CASE WHEN p.pos = 1 THEN '\x'::bytea ELSE (SELECT b.link FROM audit.chain b WHERE b.pos = p.pos - 1) END)
    UNION ALL
    SELECT 'missing', n.pos, n.seq FROM named n
        WHERE NOT EXISTS (SELECT FROM audit.audit_logs l WHERE l.seq = n.seq)
    UNION ALL
    SELECT 'line', n.pos, n.seq FROM named n JOIN audit.audit_logs l ON l.seq = n.seq
        WHERE l.mac IS DISTINCT FROM audit.mac_of(l);
END $verify$;

-- The head, how many lines there are, those that wait for a seal and the oldest of them, and which of them are false.
CREATE OR REPLACE FUNCTION audit.state(OUT trail uuid, OUT pos bigint, OUT link text, OUT lines bigint,
    OUT last_pos bigint, OUT last_link text, OUT pending bigint, OUT oldest timestamptz, OUT clock timestamptz,
    OUT false_lines bigint[]) RETURNS record
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $state$
BEGIN
    SELECT h.trail, h.pos, encode(h.link, 'hex') INTO trail, pos, link FROM audit.head h;
    SELECT c.pos, encode(c.link, 'hex') INTO last_pos, last_link FROM audit.chain c ORDER BY c.pos DESC LIMIT 1;
    SELECT count(*) INTO lines FROM audit.audit_logs;
    SELECT count(*), min(l."timestamp"), array_agg(l.seq) FILTER (WHERE l.mac IS DISTINCT FROM audit.mac_of(l))
    INTO pending, oldest, false_lines
    FROM audit.audit_logs l
    WHERE NOT EXISTS (SELECT FROM audit.chain c, unnest(c.seqs) AS u(seq) WHERE u.seq = l.seq);
    clock := clock_timestamp();
END $state$;

-- The link at a place of the chain, to compare with one that was kept elsewhere.
CREATE OR REPLACE FUNCTION audit.link_at(at bigint) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $link_at$
    SELECT encode(c.link, 'hex') FROM audit.chain c WHERE c.pos = at
$link_at$;

-- The rows of an audited table as its lines have them, without what is secret: to compare with the lines.
CREATE OR REPLACE FUNCTION audit.live(home text, kind text) RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
SET "TimeZone" = 'UTC'
AS $live$
DECLARE
    arguments text[];
BEGIN
    SELECT string_to_array(encode(t.tgargs, 'escape'), '\000') INTO arguments
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = home AND c.relname = kind AND t.tgname = 'audit_insert';
    IF arguments IS NULL THEN
        RAISE EXCEPTION '%.% is not audited', home, kind USING ERRCODE = '42501';
    END IF;
    RETURN QUERY EXECUTE format('SELECT jsonb_strip_nulls(to_jsonb(t) - $1) FROM %I.%I t', home, kind)
        USING string_to_array(arguments[3], ',');
END $live$;

-- Lines are added, never changed: not even by their owner.
CREATE OR REPLACE FUNCTION audit.refuse() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $refuse$
BEGIN
    IF TG_TABLE_SCHEMA = 'audit' THEN
        RAISE EXCEPTION 'the audit is only added to; % of % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'the key of a row of % never changes', TG_TABLE_NAME USING ERRCODE = '42501';
    END IF;
    RAISE EXCEPTION '% of % would leave no audit; delete the rows', TG_OP, TG_TABLE_NAME USING ERRCODE = '42501';
END $refuse$;

DO $keep$
DECLARE
    kept text;
    made regprocedure;
BEGIN
    FOREACH kept IN ARRAY ARRAY['audit_logs', 'chain', 'key'] LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS append_only ON audit.%I', kept);
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.%I '
            'FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()', kept);
        EXECUTE format('ALTER TABLE audit.%I ENABLE ALWAYS TRIGGER append_only', kept);
    END LOOP;
    FOREACH kept IN ARRAY ARRAY['audit_logs', 'chain', 'key', 'head'] LOOP
        EXECUTE format('ALTER TABLE audit.%I OWNER TO clo_audit', kept);
        EXECUTE format('ALTER TABLE audit.%I ENABLE ROW LEVEL SECURITY', kept);
        EXECUTE format('REVOKE ALL ON audit.%I FROM PUBLIC, clo_viewer, clo_analyst, clo_manager, clo_admin', kept);
    END LOOP;
    ALTER SEQUENCE audit.line OWNER TO clo_audit;
    REVOKE ALL ON SEQUENCE audit.line FROM PUBLIC;
    FOR made IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'audit'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO clo_audit', made);
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', made);
    END LOOP;
END $keep$;

GRANT SELECT ON audit.audit_logs TO clo_admin;
DROP POLICY IF EXISTS admins_read ON audit.audit_logs;
CREATE POLICY admins_read ON audit.audit_logs FOR SELECT TO clo_admin USING ({may_read});
GRANT EXECUTE ON FUNCTION audit.seal(), audit.link_at(bigint) TO clo_viewer, clo_analyst, clo_manager, clo_admin;
GRANT EXECUTE ON FUNCTION audit.verify(bigint, bigint), audit.state(), audit.live(text, text) TO clo_admin;
