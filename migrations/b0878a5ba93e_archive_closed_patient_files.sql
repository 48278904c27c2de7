-- Archive closed patient files
--
-- Records must be kept for years after a patient has left, and be deleted
-- then. Only production holds records to which that law applies. There is no
-- foreign key to `patient`: the archive outlives the row it came from.
--
-- Revision ID: b0878a5ba93e
-- Revises: 0c907eda6bb9
-- Create Date: 2026-09-14T14:20:00Z
-- Env: production

-- migrate:up
CREATE TABLE patient_archive (
    patient_id INTEGER PRIMARY KEY,
    full_name VARCHAR(200) NOT NULL,
    birth_date DATE NULL,
    last_visit_on DATE NULL,
    archived_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    keep_until DATE NOT NULL
);

-- The nightly job asks for whatever has passed this date.
CREATE INDEX patient_archive_by_keep_until ON patient_archive (keep_until);

-- migrate:down
-- This deletes archived records. Export them before going below this point.
DROP TABLE patient_archive;
