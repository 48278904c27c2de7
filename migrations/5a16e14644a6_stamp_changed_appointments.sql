-- Stamp changed appointments
--
-- The reminder service asks what has changed since its last look. NULL means
-- never changed since it was booked. Every database has its own way to keep
-- such a column up to date, so each gets its own sections.
--
-- Revision ID: 5a16e14644a6
-- Revises: 0de5b3322697
-- Create Date: 2026-05-18T09:45:00Z

-- migrate:up sqlite
ALTER TABLE appointment ADD COLUMN updated_at TIMESTAMP NULL;

-- The semicolons between BEGIN and END belong to the trigger. It watches every
-- column but its own, so that it never sets itself off.
CREATE TRIGGER appointment_touched
AFTER UPDATE OF patient_id, practitioner_id, room_id, scheduled_on, starts_at, duration_minutes, status, reason
ON appointment
FOR EACH ROW
BEGIN
    UPDATE appointment SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;

-- migrate:up postgres
ALTER TABLE appointment ADD COLUMN updated_at TIMESTAMP NULL;

CREATE FUNCTION appointment_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := CURRENT_TIMESTAMP;
    RETURN NEW;
END;
$$;

CREATE TRIGGER appointment_touched
BEFORE UPDATE ON appointment
FOR EACH ROW EXECUTE FUNCTION appointment_touch();

-- migrate:up mysql
ALTER TABLE appointment
    ADD COLUMN updated_at TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP;

-- migrate:down sqlite
-- The trigger first: SQLite keeps a column that a trigger still names.
DROP TRIGGER appointment_touched;
ALTER TABLE appointment DROP COLUMN updated_at;

-- migrate:down postgres
DROP TRIGGER appointment_touched ON appointment;
DROP FUNCTION appointment_touch();
ALTER TABLE appointment DROP COLUMN updated_at;

-- migrate:down mysql
ALTER TABLE appointment DROP COLUMN updated_at;
