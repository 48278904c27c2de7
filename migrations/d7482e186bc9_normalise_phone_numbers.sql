-- Normalise phone numbers
--
-- Callers were not recognised because one number was written in many ways.
-- Numbers move to a table of their own, without punctuation, and a patient
-- may have several. What reception once typed stays in `patient.phone`:
-- nothing is lost, and undoing this is dropping the copy.
--
-- lint:ignore environment-order it works with and without the sample people
--
-- Revision ID: d7482e186bc9
-- Revises: 12d2cb8bef21
-- Create Date: 2026-02-16T11:20:00Z

-- migrate:up
CREATE TABLE patient_phone (
    patient_id INTEGER NOT NULL,
    kind VARCHAR(10) NOT NULL,
    phone_number VARCHAR(40) NOT NULL,
    PRIMARY KEY (patient_id, kind),
    CONSTRAINT patient_phone_patient_fk FOREIGN KEY (patient_id) REFERENCES patient (id) ON DELETE CASCADE,
    CONSTRAINT patient_phone_kind_known CHECK (kind IN ('main', 'mobile', 'work', 'guardian'))
);

CREATE INDEX patient_phone_by_number ON patient_phone (phone_number);

-- The innermost REPLACE comes first: `(0)` in an international number is not
-- dialled, so it must go before the single brackets do.
INSERT INTO patient_phone (patient_id, kind, phone_number)
SELECT
    id,
    'main',
    REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(
        phone, '(0)', ''), '(', ''), ')', ''), '-', ''), '/', ''), '.', ''), ' ', '')
FROM patient
WHERE phone IS NOT NULL AND phone <> '';

-- migrate:down
DROP TABLE patient_phone;
