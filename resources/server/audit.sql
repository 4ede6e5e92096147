-- The audit of the shared server: every changed row leaves one line in the transaction that changes it.
--
-- Run by clo_desktop.store.audit.server.apply, which puts names in the places of {data} (the schema of the data) and,
-- in audit.record, of {event} and {changed}; harmless to run again. The role clo_audit owns everything here and nobody
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

-- The lines of one statement, or of one updated row. Arguments of the trigger: the columns of the key, those a person knows the row by, and
-- those whose values are secret. Settings that change how a value is written are pinned, or a client could hide a
-- small change by them.
CREATE OR REPLACE FUNCTION audit.record_{event}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
SET "TimeZone" = 'UTC'
AS $record$
DECLARE
    keys constant text[] := string_to_array(TG_ARGV[0], ',');
    names constant text[] := string_to_array(TG_ARGV[1], ',');
    secrets constant text[] := string_to_array(TG_ARGV[2], ',');
    program constant text := nullif(current_setting('application_name'), '');
    xact constant bigint := pg_current_xact_id()::text::bigint;
    k audit.key;
    place constant text := coalesce(host(inet_client_addr()), 'local');
BEGIN
    SELECT * INTO STRICT k FROM audit.key;
    INSERT INTO audit.audit_logs
    WITH changed AS MATERIALIZED ({changed}),
    line AS MATERIALIZED (
        SELECT nextval('audit.line') AS seq, act,
            concat_ws(' / ', named.deal, named.known) AS resource,
            clock_timestamp() AS moment,
            jsonb_strip_nulls(jsonb_build_object('table', TG_TABLE_NAME, 'id', named.id, 'deal', named.deal,
                'program', program)) || before || after AS details
        FROM changed
        LEFT JOIN {data}.deals ON deals.id = (row_is->>'deal_id')::bigint,
        LATERAL (SELECT
            CASE WHEN deals.name IS NOT NULL THEN deals.name
                WHEN TG_TABLE_NAME = 'deals' THEN row_is->>'name' ELSE row_is->>'deal' END AS deal,
            CASE WHEN TG_TABLE_NAME = 'deals' THEN NULL
                WHEN names[2] IS NULL THEN row_is->>names[1]
                ELSE (SELECT string_agg(row_is->>c, ' ' ORDER BY o) FROM unnest(names) WITH ORDINALITY AS u(c, o))
                END AS known,
            CASE WHEN keys[2] IS NULL THEN row_is->keys[1]
                ELSE (SELECT jsonb_agg(row_is->c ORDER BY o) FROM unnest(keys) WITH ORDINALITY AS u(c, o))
                END AS id
        ) AS named
    )
    SELECT seq, session_user, act, TG_TABLE_NAME, resource, moment, place, details, xact,
        sha256(k.outer_pad || sha256(k.inner_pad || convert_to(jsonb_build_array(seq, session_user, act,
            TG_TABLE_NAME, resource, (extract(epoch FROM moment) * 1000000)::bigint, place, details, xact)::text, 'UTF8')))
    FROM line;
    RETURN NULL;
END $record$;

-- The HMAC of a line that is there, for those who check it; the same expression as in audit.record.
-- In plpgsql, which keeps the plan for the next call.
CREATE OR REPLACE FUNCTION audit.mac_of(l audit.audit_logs) RETURNS bytea
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
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
    sealed := NOT EXISTS (SELECT FROM audit.audit_logs a WHERE a.txid >= top.floor AND a.seq <> ALL (top.beyond));
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
    FROM (SELECT a.seq, a.txid, EXISTS (SELECT FROM unnest(top.beyond) b WHERE b = a.seq) AS known
        FROM audit.audit_logs a WHERE a.txid >= top.floor) l;
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
