-- Record payments
--
-- An invoice may be paid in parts, by the patient and by an insurer. What is
-- still open is calculated, never stored, so it cannot go out of date.
--
-- Revision ID: 352c08a1e0b3
-- Revises: ffcae4d8988f
-- Create Date: 2026-05-05T08:25:00Z

-- migrate:up
CREATE TABLE payment (
    id INTEGER PRIMARY KEY,
    invoice_id INTEGER NOT NULL,
    received_on DATE NOT NULL,
    method VARCHAR(10) NOT NULL,
    amount_cents INTEGER NOT NULL,
    CONSTRAINT payment_invoice_fk FOREIGN KEY (invoice_id) REFERENCES invoice (id),
    CONSTRAINT payment_method_known CHECK (method IN ('cash', 'card', 'transfer', 'insurer')),
    CONSTRAINT payment_amount_not_zero CHECK (amount_cents <> 0)
);

CREATE INDEX payment_by_invoice ON payment (invoice_id);
CREATE INDEX payment_by_day ON payment (received_on);

-- Two subqueries rather than two joins: joined, every payment would be
-- counted once for each line of its invoice.
CREATE VIEW invoice_balance AS
SELECT
    invoice.id AS invoice_id,
    COALESCE((
        SELECT SUM(invoice_line.quantity * invoice_line.unit_price_cents)
        FROM invoice_line
        WHERE invoice_line.invoice_id = invoice.id
    ), 0) - COALESCE((
        SELECT SUM(payment.amount_cents)
        FROM payment
        WHERE payment.invoice_id = invoice.id
    ), 0) AS open_cents
FROM invoice;

-- migrate:down
DROP VIEW invoice_balance;
DROP TABLE payment;
