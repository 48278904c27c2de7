-- Create patient register
--
-- The first revision of the chain: it has no parent, so it revises `base`.
-- Ids are given out by the application. A plain INTEGER PRIMARY KEY means
-- the same on SQLite, PostgreSQL and MySQL; self-numbering keys do not.
--
-- Revision ID: cc83c9d939f7
-- Revises: base
-- Create Date: 2026-01-12T09:15:00Z

-- migrate:up
CREATE TABLE patient (
    id INTEGER PRIMARY KEY,
    full_name VARCHAR(200) NOT NULL,
    birth_date DATE NULL,
    phone VARCHAR(40) NULL,
    email VARCHAR(254) NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Reception finds people by name and birth date while they are on the phone.
CREATE INDEX patient_by_name ON patient (full_name, birth_date);

-- migrate:down
-- The index goes with its table.
DROP TABLE patient;
