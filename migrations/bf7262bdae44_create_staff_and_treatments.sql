-- Create staff and treatments
--
-- Who treats, and what can be done. Prices are whole cents: floating-point
-- money does not add up, and DECIMAL is only a hint to SQLite.
--
-- Revision ID: bf7262bdae44
-- Revises: cc83c9d939f7
-- Create Date: 2026-01-14T10:02:00Z

-- migrate:up
CREATE TABLE practitioner (
    id INTEGER PRIMARY KEY,
    full_name VARCHAR(200) NOT NULL,
    licence_number VARCHAR(32) NOT NULL,
    speciality VARCHAR(40) NOT NULL DEFAULT 'general dentistry',
    active BOOLEAN NOT NULL DEFAULT TRUE,
    CONSTRAINT practitioner_licence_unique UNIQUE (licence_number)
);

CREATE TABLE treatment (
    code VARCHAR(12) PRIMARY KEY,
    title VARCHAR(120) NOT NULL,
    duration_minutes INTEGER NOT NULL,
    price_cents INTEGER NOT NULL,
    CONSTRAINT treatment_duration_positive CHECK (duration_minutes > 0),
    CONSTRAINT treatment_price_not_negative CHECK (price_cents >= 0)
);

-- migrate:down
DROP TABLE treatment;
DROP TABLE practitioner;
