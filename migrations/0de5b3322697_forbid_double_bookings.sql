-- Forbid double bookings
--
-- Two receptionists gave away the same slot. Now the database refuses the
-- second one; a cancelled appointment frees its slot. SQLite and PostgreSQL
-- can leave rows out of an index. MySQL cannot, so there a generated column
-- is NULL for cancelled appointments, and NULLs never collide.
--
-- Revision ID: 0de5b3322697
-- Revises: 3c8e6527cae1
-- Create Date: 2026-04-23T15:30:00Z

-- migrate:up sqlite,postgres
-- lint:ignore unique-index-on-existing-table appointments are new in this release
CREATE UNIQUE INDEX appointment_slot_unique
    ON appointment (practitioner_id, scheduled_on, starts_at)
    WHERE status <> 'cancelled';

-- migrate:up mysql
ALTER TABLE appointment
    ADD COLUMN booked_from TIME
    GENERATED ALWAYS AS (CASE WHEN status = 'cancelled' THEN NULL ELSE starts_at END) VIRTUAL;

CREATE UNIQUE INDEX appointment_slot_unique
    ON appointment (practitioner_id, scheduled_on, booked_from);

-- migrate:down sqlite,postgres
DROP INDEX appointment_slot_unique;

-- migrate:down mysql
DROP INDEX appointment_slot_unique ON appointment;
ALTER TABLE appointment DROP COLUMN booked_from;
