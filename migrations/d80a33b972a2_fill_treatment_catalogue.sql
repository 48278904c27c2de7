-- Fill treatment catalogue
--
-- Reference data, not sample data: every clinic starts from this list.
-- A tag names the lowest environment, and `development` is the lowest there
-- is, so this runs everywhere. It would without the line, too; the line
-- tells a reader who sees INSERTs here that production is meant as well.
--
-- Revision ID: d80a33b972a2
-- Revises: bf7262bdae44
-- Create Date: 2026-01-19T14:40:00Z
-- Env: development

-- migrate:up
INSERT INTO treatment (code, title, duration_minutes, price_cents) VALUES
    ('EXAM', 'Examination and advice', 20, 4500),
    ('XRAY', 'Bitewing X-ray, both sides', 10, 3800),
    ('CLEAN', 'Professional cleaning', 45, 9500),
    ('FILL1', 'Filling, one surface', 30, 11000),
    ('FILL2', 'Filling, two surfaces', 40, 14500),
    ('ROOT', 'Root canal treatment', 90, 48000),
    ('CROWN', 'Ceramic crown', 60, 82000),
    ('EXTRACT', 'Extraction', 30, 12500);

-- migrate:down
-- By code: treatments that a clinic added by itself stay.
DELETE FROM treatment
WHERE code IN ('EXAM', 'XRAY', 'CLEAN', 'FILL1', 'FILL2', 'ROOT', 'CROWN', 'EXTRACT');
