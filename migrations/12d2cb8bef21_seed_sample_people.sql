-- Seed sample people
--
-- Invented people for laptops and the test system. The `=` makes a tag
-- exact: this runs in development and in test, and is skipped everywhere
-- else, so sample patients cannot reach a real register. No later revision
-- may rely on these rows. Ids from 900001 up are reserved for samples, which
-- is how the down section knows its own rows.
--
-- Revision ID: 12d2cb8bef21
-- Revises: d80a33b972a2
-- Create Date: 2026-01-20T08:30:00Z
-- Env: =development, =test

-- migrate:up
INSERT INTO practitioner (id, full_name, licence_number, speciality, active) VALUES
    (900001, 'Ines Okafor', 'SAMPLE-0001', 'general dentistry', TRUE),
    (900002, 'Tomasz Lind', 'SAMPLE-0002', 'orthodontics', TRUE),
    (900003, 'Ruth Abel', 'SAMPLE-0003', 'oral surgery', FALSE);

-- Names and numbers are untidy on purpose: later revisions tidy them up.
INSERT INTO patient (id, full_name, birth_date, phone, email) VALUES
    (900001, 'Ada Example', '1984-03-09', '+44 20 7946 0018', 'ada@example.org'),
    (900002, 'Jan van der Berg', '1951-11-30', '(020) 7946-0102', NULL),
    (900003, 'Sukarno', '1990-07-21', '+44 (0)161 496 0007', 'sukarno@example.org'),
    (900004, 'Mia O''Hara', '2018-05-02', NULL, NULL),
    (900005, 'Lena Fischer', NULL, '030/23125-042', 'lena@example.org');

-- migrate:down
-- Only the rows put in above, not everything that looks like a sample.
DELETE FROM patient WHERE id IN (900001, 900002, 900003, 900004, 900005);
DELETE FROM practitioner WHERE id IN (900001, 900002, 900003);
