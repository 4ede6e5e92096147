-- Offline copies and open windows: who listens is told which deal has which version now, and what is left of a deleted
-- deal is noted. Triggers, since any other program that changes a deal would forget. Owned by clo_owner, so that every
-- deal which lists a changed asset is named, whoever changed it; a message holds two numbers and nothing else.

CREATE OR REPLACE FUNCTION sec.tell_deal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO clo.deleted_deals (number, version, deleted_at) VALUES (OLD.id, OLD.version, clock_timestamp());
        PERFORM pg_notify('clo_deals', OLD.id || ':0');
    ELSE
        PERFORM pg_notify('clo_deals', NEW.id || ':' || NEW.version);
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION sec.tell_assets() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_notify('clo_deals', d.id || ':' || d.version) FROM clo.deals d
    WHERE d.id IN (SELECT l.deal_id FROM clo.deal_assets l JOIN changed c ON c.asset_id = l.asset_id);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON clo.deals
    FOR EACH ROW EXECUTE FUNCTION sec.tell_deal();
CREATE OR REPLACE TRIGGER tell AFTER UPDATE ON clo.assets REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION sec.tell_assets();
