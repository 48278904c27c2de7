-- Charge missed appointments
--
-- Belongs to billing but needs the appointment book, which `scheduling`
-- creates. `Depends On` says just that: the other revision is applied first
-- and removed last, while the two branches stay apart.
--
-- Revision ID: 22b81ef8e706
-- Revises: 352c08a1e0b3
-- Create Date: 2026-06-11T10:55:00Z
-- Depends On: 3c8e6527cae1

-- migrate:up
-- The appointment is the key: nobody is charged twice for one absence.
CREATE TABLE missed_appointment_fee (
    appointment_id INTEGER PRIMARY KEY,
    invoice_id INTEGER NULL,
    amount_cents INTEGER NOT NULL,
    waived BOOLEAN NOT NULL DEFAULT FALSE,
    CONSTRAINT missed_appointment_fee_appointment_fk FOREIGN KEY (appointment_id) REFERENCES appointment (id),
    CONSTRAINT missed_appointment_fee_invoice_fk FOREIGN KEY (invoice_id) REFERENCES invoice (id),
    CONSTRAINT missed_appointment_fee_not_negative CHECK (amount_cents >= 0)
);

CREATE INDEX missed_appointment_fee_by_invoice ON missed_appointment_fee (invoice_id);

-- migrate:down
DROP TABLE missed_appointment_fee;
