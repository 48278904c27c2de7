-- Appointments, and who may see them
--
-- Revision ID: 4be1c09d77aa
-- Revises: base

-- migrate:up postgres
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TYPE appointment_state AS ENUM ('planned', 'kept', 'missed; unexcused');

CREATE TABLE appointment (
    id bigint GENERATED ALWAYS AS IDENTITY,
    clinic_id integer NOT NULL DEFAULT current_setting('app.clinic', true)::integer, -- the tenant; see the policies
    during tstzrange NOT NULL CHECK (NOT isempty(during)),
    state appointment_state NOT NULL DEFAULT 'planned',
    note text NOT NULL DEFAULT E'it\'s new;\n'
        '\'second line\'',
    EXCLUDE USING gist (clinic_id WITH =, during WITH &&)
);

/* Partitions: one a month; /* older ones are detached; */ see the job. */
CREATE TABLE visit (id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE visit_2026_11 PARTITION OF visit FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');

DO $do$
DECLARE
    month date;
BEGIN
    FOR month IN SELECT generate_series('2026-12-01'::date, '2027-02-01', '1 month') LOOP
        EXECUTE format($sql$
            CREATE TABLE %I PARTITION OF visit FOR VALUES FROM (%L) TO (%L);
        $sql$, to_char(month, '"visit_"YYYY_MM'), month, month + interval '1 month');
    END LOOP;
END
$do$;

ALTER TABLE appointment ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_clinic ON appointment
    USING (clinic_id = current_setting('app.clinic')::integer)
    WITH CHECK (clinic_id = current_setting('app.clinic')::integer);

CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- don't touch what didn't change;
    IF NEW IS DISTINCT FROM OLD THEN
        NEW.note := NEW.note || ' $1; ';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER touch BEFORE UPDATE ON appointment FOR EACH ROW EXECUTE FUNCTION touch();

CREATE OR REPLACE FUNCTION state_of(appointment_id bigint, at timestamptz DEFAULT now()) RETURNS text
BEGIN ATOMIC
    SELECT CASE WHEN upper(during) < at THEN 'over' ELSE state::text END AS end FROM appointment WHERE id = $1;
END;

CREATE PROCEDURE forget(before timestamptz)
BEGIN ATOMIC
    DELETE FROM visit WHERE at < before;
    DELETE FROM appointment WHERE upper(during) < CASE WHEN before > now() THEN now() ELSE before END;
END;

CREATE RULE no_delete AS ON DELETE TO appointment DO INSTEAD (
    UPDATE appointment SET state = 'missed; unexcused' WHERE id = OLD.id;
    NOTIFY appointment_missed;
);

COMMENT ON FUNCTION touch() IS 'psql would call it \df';
INSERT INTO visit VALUES (1, '2026-11-21'), (2, U&'2026-11-2\0032');
COPY visit FROM '/var/lib/clinic/visits.csv' WITH (FORMAT csv, HEADER)

-- migrate:down postgres
DROP TABLE visit, appointment CASCADE
